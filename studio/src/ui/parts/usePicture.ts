import { useEffect, useState } from "react";
import { url } from "../../api/http";

const SIZE = 512;

export interface SmallPicture {
  image: HTMLImageElement;
  /** Pixels of the real picture that one of its pixels stands for. */
  scale: number;
}

/** A picture small enough for thumbnails, null until it is there. */
export function usePicture(id: string | undefined, width: number): SmallPicture | null {
  const [picture, setPicture] = useState<SmallPicture | null>(null);
  useEffect(() => {
    setPicture(null);
    if (id === undefined) return;
    const image = new Image();
    let ended = false;
    image.onload = () => {
      if (!ended) setPicture({ image, scale: width / image.naturalWidth });
    };
    image.src = url(`/images/${id}/thumbnail`, { size: SIZE });
    return () => {
      ended = true;
    };
  }, [id, width]);
  return picture;
}
