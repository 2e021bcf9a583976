/** The picture under the overlays: OpenSeadragon without its own controls, spoken to in pixels of the picture. */

import OpenSeadragon from "openseadragon";
import type { BoxXYXY } from "../core/types";
import { type Camera, toImage } from "../core/view";

/** Beyond this many CSS pixels a pixel of the picture, pixels are shown as squares. */
const CRISP = 3;
const MOTION_SECONDS = 0.16;

export class Viewer {
  readonly #osd: OpenSeadragon.Viewer;
  #width = 1;
  #height = 1;
  #loaded = false;

  /** `moved` is called before every frame in which the camera is another one. */
  constructor(
    container: HTMLElement,
    private readonly moved: (camera: Camera) => void,
  ) {
    this.#osd = OpenSeadragon({
      element: container,
      drawer: "canvas",
      showNavigationControl: false,
      showNavigator: false,
      mouseNavEnabled: false,
      animationTime: MOTION_SECONDS,
      springStiffness: 9,
      visibilityRatio: 0.25,
      minZoomImageRatio: 0.4,
      maxZoomPixelRatio: 40,
      constrainDuringPan: true,
      preserveImageSizeOnResize: true,
      homeFillsViewer: false,
      tabIndex: -1,
    });
    for (const name of ["update-viewport", "resize", "open"] as const)
      this.#osd.addHandler(name, () => this.#tell());
  }

  /** Shows another picture, fitted to the stage. Rejects if it cannot be loaded. */
  open(url: string, width: number, height: number): Promise<void> {
    this.#width = width;
    this.#height = height;
    this.#loaded = false;
    return new Promise((resolve, reject) => {
      this.#osd.addOnceHandler("open", () => {
        this.#loaded = true;
        this.#tell();
        resolve();
      });
      this.#osd.addOnceHandler("open-failed", () => reject(new Error("the picture cannot be loaded")));
      this.#osd.open({ tileSource: { type: "image", url, buildPyramid: true } });
    });
  }

  close(): void {
    this.#loaded = false;
    this.#osd.close();
  }

  destroy(): void {
    this.#osd.destroy();
  }

  /** What the stage shows now, in the midst of a motion, too. */
  get camera(): Camera {
    const { clientWidth: width, clientHeight: height } = this.#osd.container;
    if (!this.#loaded) return { x: this.#width / 2, y: this.#height / 2, scale: 1, width, height };
    const centre = this.#osd.viewport.getCenter(true);
    return {
      x: centre.x * this.#width,
      y: centre.y * this.#width,
      scale: (this.#osd.viewport.getZoom(true) * width) / this.#width,
      width,
      height,
    };
  }

  /** Moves the picture with the hand, by CSS pixels. */
  pan(dx: number, dy: number): void {
    if (!this.#loaded) return;
    const delta = this.#osd.viewport.deltaPointsFromPixels(new OpenSeadragon.Point(-dx, -dy), true);
    this.#osd.viewport.panBy(delta, true);
    this.#osd.viewport.applyConstraints();
  }

  /** Zooms round a place of the stage (CSS pixels), or round its middle. */
  zoomBy(factor: number, at?: readonly [number, number]): void {
    if (!this.#loaded) return;
    const { viewport } = this.#osd;
    const round = at ? viewport.pointFromPixel(new OpenSeadragon.Point(at[0], at[1]), true) : undefined;
    viewport.zoomBy(factor, round as OpenSeadragon.Point);
    viewport.applyConstraints();
  }

  /** What was shown at `from` is shown at `to` (CSS pixels), `factor` times as large, at once: as two fingers pull it. */
  pull(from: readonly [number, number], to: readonly [number, number], factor: number): void {
    if (!this.#loaded) return;
    const { viewport } = this.#osd;
    const camera = this.camera;
    const [x, y] = toImage(camera, ...from);
    const zoom = viewport.getZoom(true) * factor;
    const limited = Math.min(Math.max(zoom, viewport.getMinZoom()), viewport.getMaxZoom());
    const scale = (camera.scale * limited) / viewport.getZoom(true);
    const centreX = x - (to[0] - camera.width / 2) / scale;
    const centreY = y - (to[1] - camera.height / 2) / scale;
    viewport.zoomTo(limited, undefined, true);
    viewport.panTo(new OpenSeadragon.Point(centreX / this.#width, centreY / this.#width), true);
    viewport.applyConstraints(true);
  }

  fit(): void {
    if (this.#loaded) this.#osd.viewport.goHome(false);
  }

  /** Shows `box`, whole and as large as it goes. */
  lookAt([x0, y0, x1, y1]: BoxXYXY): void {
    if (!this.#loaded) return;
    const unit = this.#width;
    this.#osd.viewport.fitBounds(
      new OpenSeadragon.Rect(x0 / unit, y0 / unit, (x1 - x0) / unit, (y1 - y0) / unit),
      false,
    );
  }

  #tell(): void {
    const camera = this.camera;
    this.#osd.drawer?.setImageSmoothingEnabled(camera.scale < CRISP);
    this.moved(camera);
  }
}
