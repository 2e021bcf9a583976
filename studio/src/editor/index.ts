import { ServerPredictor } from "../api/server";
import { Editor } from "./editor";

/** The page's one editor. */
export const editor = new Editor(new ServerPredictor());
