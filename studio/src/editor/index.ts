import { ChoosingPredictor } from "../api/browser/choosingPredictor";
import { onServerEvent } from "../api/events";
import { ServerPredictor } from "../api/server";
import { useDecoderPlace } from "../state/decoderPlace";
import { formatRoute } from "../ui/logic/routes";
import { Editor } from "./editor";

const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(window.location.hostname);
const predictor = new ChoosingPredictor(new ServerPredictor(), {
  place: () => useDecoderPlace.getState().place,
  isLocal,
  answered: (answering) => {
    useDecoderPlace.setState({ answering });
    document.documentElement.dataset["decoder"] = answering;
  },
});

/** The page's one editor. */
export const editor = new Editor(predictor, (project, image, review) => {
  window.location.hash = formatRoute(
    image === null ? { page: "gallery", project } : { page: "image", project, image, review },
  );
});

onServerEvent((event) => editor.heed(event));
window.addEventListener("online", () => void editor.save());
window.addEventListener("beforeunload", (event) => {
  if (editor.unsaved) event.preventDefault();
});
