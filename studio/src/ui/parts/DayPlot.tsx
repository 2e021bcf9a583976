import { useElementSize } from "@mantine/hooks";
import { daysBetween, linePath, position, type Scale, ticks } from "../logic/plot";
import type { DayLine } from "../logic/progress";

interface DayPlotProps {
  lines: readonly DayLine[];
  unit: string;
}

const HEIGHT = 220;
const LEFT = 42;
const BOTTOM = 26;
const TOP = 8;
const RIGHT = 12;
const DAY_LABEL = 76;

function shortDay(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en", {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
}

/** One line a person over the days; the same figures follow as a table for screen readers. */
export function DayPlot({ lines, unit }: DayPlotProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const days = daysBetween(lines.flatMap((line) => line.points.map((point) => point.day)));
  const marks = ticks(Math.max(...lines.flatMap((line) => line.points.map((point) => point.value))));
  const x: Scale = {
    domain: [0, days.length - 1],
    range: [LEFT + 14, Math.max(LEFT + 15, width - RIGHT - 14)],
  };
  const y: Scale = { domain: [0, marks.at(-1) ?? 1], range: [HEIGHT - BOTTOM, TOP] };
  const every = Math.max(1, Math.ceil((days.length * DAY_LABEL) / Math.max(1, width - LEFT)));
  return (
    <div ref={ref} className="day-plot">
      <svg width={width} height={HEIGHT} aria-hidden>
        {marks.map((mark) => (
          <g key={mark}>
            <line
              x1={LEFT}
              x2={width - RIGHT}
              y1={position(y, mark)}
              y2={position(y, mark)}
              className="plot-grid"
            />
            <text x={LEFT - 8} y={position(y, mark) + 4} textAnchor="end" className="plot-text">
              {mark} {unit}
            </text>
          </g>
        ))}
        {days.map((day, index) =>
          index % every === 0 ? (
            <text key={day} x={position(x, index)} y={HEIGHT - 7} textAnchor="middle" className="plot-text">
              {shortDay(day)}
            </text>
          ) : null,
        )}
        {lines.map((line) => {
          const points = line.points.map((point) => ({
            ...point,
            x: days.indexOf(point.day),
            y: point.value,
          }));
          return (
            <g key={line.name} stroke={line.colour} fill={line.colour}>
              <path d={linePath(points, x, y)} fill="none" strokeWidth={2} />
              {points.map((point) => (
                <circle key={point.day} cx={position(x, point.x)} cy={position(y, point.y)} r={3.5}>
                  <title>{`${line.name}, ${shortDay(point.day)}: ${point.value.toFixed(1)} ${unit} a mask, ${point.masks} masks`}</title>
                </circle>
              ))}
            </g>
          );
        })}
      </svg>
      <div className="plot-legend" aria-hidden>
        {lines.map((line) => (
          <span key={line.name}>
            <span className="plot-key" style={{ background: line.colour }} />
            {line.name}
          </span>
        ))}
      </div>
      <table className="visually-hidden">
        <caption>Seconds a mask by person and day</caption>
        <tbody>
          {lines.flatMap((line) =>
            line.points.map((point) => (
              <tr key={`${line.name} ${point.day}`}>
                <th scope="row">{line.name}</th>
                <td>{point.day}</td>
                <td>{point.value.toFixed(1)} seconds</td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </div>
  );
}
