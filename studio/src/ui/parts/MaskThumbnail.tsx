import { useEffect, useRef } from "react";
import type { WindowMask } from "../../core/types";
import { type Frame, frameOf, maskPixels } from "../logic/thumbnail";

interface MaskThumbnailProps {
  mask: WindowMask;
  size: number;
  colour?: string;
  className?: string;
  /** The picture to show below the mask, and the pixels of the real picture that one of its pixels stands for. */
  picture?: { image: CanvasImageSource; scale: number } | null;
  /** What is shown, where several thumbnails shall show the same part. */
  frame?: Frame | null;
}

type Picture = NonNullable<MaskThumbnailProps["picture"]>;

function drawPicture(
  context: CanvasRenderingContext2D,
  { image, scale }: Picture,
  frame: Frame,
  size: number,
) {
  const { x, y, width, height } = frame;
  context.drawImage(image, x / scale, y / scale, width / scale, height / scale, 0, 0, size, size);
  // Darker round the mask, so that its shape stands out on any picture.
  context.fillStyle = "rgb(0 0 0 / 45%)";
  context.fillRect(0, 0, size, size);
}

async function draw(canvas: HTMLCanvasElement, props: MaskThumbnailProps, signal: { ended: boolean }) {
  const { mask, size, colour = "#417bea", picture } = props;
  const context = canvas.getContext("2d");
  const frame = props.frame ?? frameOf([mask]);
  if (!context) return;
  context.clearRect(0, 0, size, size);
  if (!frame) return;
  const pixels = maskPixels(mask, frame, [size, size], colour, picture ? 0.62 : 1);
  const layer = await createImageBitmap(new ImageData(pixels, size, size));
  if (signal.ended) return;
  if (picture) drawPicture(context, picture, frame, size);
  context.drawImage(layer, 0, 0);
}

/** A mask's shape, fitted into a square; decoration beside text that says the same. */
export function MaskThumbnail(props: MaskThumbnailProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { mask, size, colour, picture, frame, className = "mask-thumbnail" } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are the parts of `props` that are drawn
  useEffect(() => {
    const signal = { ended: false };
    if (canvas.current) void draw(canvas.current, props, signal);
    return () => {
      signal.ended = true;
    };
  }, [mask, size, colour, picture, frame]);
  return <canvas ref={canvas} width={size} height={size} className={className} aria-hidden />;
}
