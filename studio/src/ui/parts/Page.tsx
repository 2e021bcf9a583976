import { Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";

interface PageProps {
  title: string;
  /** One line below the title: what the page is for. */
  lead?: ReactNode;
  actions?: ReactNode;
  width?: "wide" | "narrow";
  children: ReactNode;
}

/** A page's frame: its heading takes the focus when the page opens, so that screen readers say where one is. */
export function Page({ title, lead, actions, width = "wide", children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · anymask`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <div className={`page page-${width}`}>
      <Group justify="space-between" align="flex-end" gap="sm" mb="md">
        <Stack gap={2}>
          <Title order={1} ref={heading} tabIndex={-1} className="page-title">
            {title}
          </Title>
          {lead ? (
            <Text size="sm" c="dimmed">
              {lead}
            </Text>
          ) : null}
        </Stack>
        {actions ? <Group gap="xs">{actions}</Group> : null}
      </Group>
      {children}
    </div>
  );
}
