import { useEffect } from "react";
import { Stage } from "../../canvas/Stage";
import { editor } from "../../editor";
import { editorHandlers } from "../../editor/commands";
import { useEditor } from "../../state/editorStore";
import { usePreferences } from "../../state/preferences";
import { useCommands } from "../keys";
import { CandidateStrip } from "./CandidateStrip";
import { ImageBar } from "./ImageBar";
import { Notices } from "./Notices";
import { ReviewPanel } from "./ReviewPanel";
import { reviewHandlers } from "./reviewHandlers";
import { SidePanel } from "./SidePanel";
import { StageFailure } from "./StageFailure";
import { StatusBar } from "./StatusBar";
import { ToolRail } from "./ToolRail";

interface EditorPageProps {
  project: string;
  image: string;
  review: boolean;
}

const handlers = editorHandlers(editor);
const reviewing = reviewHandlers(editor);

/** One picture and everything to label it: tools, the stage, labels and objects. */
export function EditorPage({ project, image, review }: EditorPageProps) {
  const name = useEditor((state) => state.image?.name);
  const leftHanded = usePreferences((state) => state.leftHanded);
  useCommands(review ? "review" : "editor", review ? reviewing : handlers);
  const hoverPreview = usePreferences((state) => state.hoverPreview);
  useEffect(() => editor.setHoverPreview(hoverPreview), [hoverPreview]);
  useEffect(() => {
    document.title = `${name ?? "Picture"} · anymask`;
  }, [name]);
  return (
    <div className="editor" data-review={review || undefined} data-left-handed={leftHanded || undefined}>
      <h1 className="visually-hidden">{name ?? "Picture"}</h1>
      {review ? null : <ToolRail />}
      <div className="stage-column">
        <ImageBar project={project} image={image} review={review} />
        <div className="stage-frame">
          <Stage project={project} image={image} review={review} />
          <StageFailure project={project} image={image} review={review} />
          <Notices />
          <CandidateStrip />
        </div>
        <StatusBar />
      </div>
      {review ? <ReviewPanel image={image} /> : <SidePanel project={project} />}
    </div>
  );
}
