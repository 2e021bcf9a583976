import { useEffect, useRef } from "react";
import type { WindowMask } from "../../core/types";
import { thumbnailPixels } from "../logic/thumbnail";

interface MaskThumbnailProps {
  mask: WindowMask;
  size: number;
  colour?: string;
  className?: string;
}

/** A mask's shape, fitted into a square; decoration beside text that says the same. */
export function MaskThumbnail({ mask, size, colour = "#417bea", className }: MaskThumbnailProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const pixels = thumbnailPixels(mask, size, colour);
    context.putImageData(new ImageData(pixels, size, size), 0, 0);
  }, [mask, size, colour]);
  return (
    <canvas ref={canvas} width={size} height={size} className={className ?? "mask-thumbnail"} aria-hidden />
  );
}
