/** A model's figures in one line: "IoU 1 click 0.712, 3 clicks 0.835"; nothing where there are none. */
export function metricsText(metrics: Readonly<Record<string, unknown>>): string {
  return Object.entries(metrics)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number")
    .slice(0, 3)
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${Number(value.toPrecision(3))}`)
    .join(", ");
}
