import { onServerEvent } from "../api/events";
import { ServerPredictor } from "../api/server";
import { formatRoute } from "../ui/logic/routes";
import { Editor } from "./editor";

/** The page's one editor. */
export const editor = new Editor(new ServerPredictor(), (project, image, review) => {
  window.location.hash = formatRoute(
    image === null ? { page: "gallery", project } : { page: "image", project, image, review },
  );
});

onServerEvent((event) => editor.heed(event));
window.addEventListener("online", () => void editor.save());
window.addEventListener("beforeunload", (event) => {
  if (editor.unsaved) event.preventDefault();
});
