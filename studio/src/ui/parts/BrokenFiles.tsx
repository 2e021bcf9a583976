import { List, Popover, Text, UnstyledButton } from "@mantine/core";
import { TriangleAlert } from "lucide-react";
import { useScan } from "../data/queries";
import { plural } from "../logic/format";

/** Files of the folder that are no pictures the studio can take, each with the reason; nothing where all were taken. */
export function BrokenFiles({ project }: { project: string }) {
  const scan = useScan(project);
  const { broken = [], broken_count: count = 0 } = scan.data ?? {};
  if (count === 0) return null;
  return (
    <Popover position="bottom-start" width={420} trapFocus>
      <Popover.Target>
        <UnstyledButton className="broken-files">
          <TriangleAlert size={14} aria-hidden />
          {plural(count, "file")} left out
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label="Files that were left out">
        <List size="sm" spacing={4} className="broken-list">
          {broken.map(({ path, reason }) => (
            <List.Item key={path}>
              <Text size="sm" fw={550} component="span">
                {path}
              </Text>
              : {reason}
            </List.Item>
          ))}
        </List>
        {count > broken.length ? (
          <Text size="sm" c="dimmed" mt={6}>
            and {count - broken.length} more
          </Text>
        ) : null}
      </Popover.Dropdown>
    </Popover>
  );
}
