import { describe, expect, test } from "vitest";
import { ActiveTime } from "../../src/core/activity";
import { type Camera, kept, toggled, toImage, toScreen, visible, withRoom } from "../../src/core/view";

const cameras: Camera[] = [
  { x: 0, y: 0, scale: 1, width: 800, height: 600 },
  { x: 1234.5, y: 77, scale: 0.037, width: 1024, height: 700 },
  { x: 10.25, y: 4000, scale: 39.5, width: 333, height: 250 },
];

describe.each(cameras)("camera at $x, $y, scale $scale", (camera) => {
  test("to the screen and back is the same place", () => {
    for (const [x, y] of [
      [0, 0],
      [17.5, 3],
      [-200, 5000],
    ] as const) {
      const [screenX, screenY] = toScreen(camera, [x, y]);
      const [backX, backY] = toImage(camera, screenX, screenY);
      expect(backX).toBeCloseTo(x, 6);
      expect(backY).toBeCloseTo(y, 6);
    }
  });

  test("its place is the middle of the stage, and what it shows fits the stage", () => {
    expect(toScreen(camera, [camera.x, camera.y])).toEqual([camera.width / 2, camera.height / 2]);
    const [x0, y0, x1, y1] = visible(camera);
    expect((x1 - x0) * camera.scale).toBeCloseTo(camera.width, 6);
    expect((y1 - y0) * camera.scale).toBeCloseTo(camera.height, 6);
  });
});

test("room round a box: a share of it, never less than so much in all", () => {
  expect(withRoom([100, 100, 300, 200], 0.5, 10)).toEqual([0, 50, 400, 250]);
  expect(withRoom([100, 100, 104, 102], 0.5, 20)).toEqual([92, 91, 112, 111]);
});

test("sets are new ones, except where nothing changes", () => {
  const set = new Set(["a"]);
  expect([...toggled(set, "b")]).toEqual(["a", "b"]);
  expect([...toggled(set, "a")]).toEqual([]);
  expect([...set]).toEqual(["a"]);
  expect(kept(set, () => true)).toBe(set);
  expect([...kept(new Set(["a", "b"]), (id) => id === "b")]).toEqual(["b"]);
});

test("time at work: a pause counts a minute at most, and what was taken is not counted again", () => {
  let now = 0;
  const time = new ActiveTime(() => now);
  now = 5;
  time.touch();
  now = 3605;
  time.touch();
  now = 3610;
  expect(time.take()).toBe(70);
  now = 3612;
  expect(time.take()).toBe(2);
});
