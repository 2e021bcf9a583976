import { Button, EmptyState } from "@mantine/core";
import { Compass } from "lucide-react";
import { navigate } from "../router";

/** For addresses that lead nowhere. */
export function UnknownPage() {
  return (
    <EmptyState
      py={100}
      icon={<Compass aria-hidden />}
      title={<h1 className="empty-title">There is no such page</h1>}
      description="The address may be cut off, or what it showed is gone."
    >
      <EmptyState.Actions>
        <Button onClick={() => navigate({ page: "projects" })}>To the projects</Button>
      </EmptyState.Actions>
    </EmptyState>
  );
}
