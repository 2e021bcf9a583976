import {
  Alert,
  Badge,
  Button,
  CopyButton,
  Group,
  Modal,
  Select,
  Stack,
  Table,
  Text,
  TextInput,
} from "@mantine/core";
import { Check, Copy, UserPlus } from "lucide-react";
import { useState } from "react";
import { useAppStore } from "../../state/appStore";
import { invite, updateUser } from "../data/mutations";
import { useMe, useUsers } from "../data/queries";
import type { Person, Role } from "../data/types";
import { Page } from "../parts/Page";
import { Loaded } from "../parts/Problem";
import { showProblem, useAttempt } from "../parts/useAttempt";

export const ROLES: readonly { value: Role; label: string; note: string }[] = [
  { value: "annotator", label: "Annotator", note: "labels pictures" },
  { value: "reviewer", label: "Reviewer", note: "also accepts, imports, freezes versions" },
  { value: "admin", label: "Administrator", note: "also projects and people" },
];

function InviteDialog({ opened, close }: { opened: boolean; close: () => void }) {
  const [role, setRole] = useState<Role>("annotator");
  const [link, setLink] = useState<string | null>(null);
  const inviting = useAttempt(async () => {
    const invitation = await invite(role);
    setLink(new URL(invitation.path, window.location.origin).href);
  });
  function end() {
    setLink(null);
    close();
  }
  return (
    <Modal opened={opened} onClose={end} title="Invite somebody" closeButtonProps={{ "aria-label": "Close" }}>
      <Stack>
        <Select
          label="Role"
          allowDeselect={false}
          data={ROLES.map(({ value, label, note }) => ({ value, label: `${label}: ${note}` }))}
          value={role}
          onChange={(value) => setRole(value as Role)}
          disabled={link !== null}
        />
        {link ? (
          <>
            <TextInput
              label="Link"
              description="Send it to the person. It works once, for a week."
              readOnly
              value={link}
              onFocus={(event) => event.currentTarget.select()}
            />
            <Group justify="flex-end">
              <CopyButton value={link}>
                {({ copied, copy }) => (
                  <Button
                    variant="default"
                    leftSection={copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
                    onClick={copy}
                  >
                    {copied ? "Copied" : "Copy the link"}
                  </Button>
                )}
              </CopyButton>
              <Button onClick={end}>Done</Button>
            </Group>
          </>
        ) : (
          <Group justify="flex-end">
            <Button variant="default" onClick={end}>
              Cancel
            </Button>
            <Button loading={inviting.running} onClick={() => void inviting.run()}>
              Make a link
            </Button>
          </Group>
        )}
      </Stack>
    </Modal>
  );
}

function change(person: Person, part: Partial<Pick<Person, "role" | "disabled">>) {
  updateUser(person.id, part).catch(showProblem);
}

interface PersonRowProps {
  person: Person;
  isMe: boolean;
  canChangePassword: boolean;
}

function PersonRow({ person, isMe, canChangePassword }: PersonRowProps) {
  const openDialog = useAppStore((state) => state.openDialog);
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={550} c={person.disabled ? "dimmed" : ""}>
          {person.name}
          {isMe ? " (you)" : ""}
        </Text>
      </Table.Td>
      <Table.Td>
        <Select
          aria-label={`Role of ${person.name}`}
          size="xs"
          w={150}
          allowDeselect={false}
          disabled={isMe || person.disabled === true}
          data={ROLES.map(({ value, label }) => ({ value, label }))}
          value={person.role}
          onChange={(role) => change(person, { role: role as Role })}
        />
      </Table.Td>
      <Table.Td c="dimmed">{person.created?.slice(0, 10)}</Table.Td>
      <Table.Td ta="right">
        {person.disabled ? (
          <Badge color="gray" variant="outline" mr="sm" tt="none">
            Locked out
          </Badge>
        ) : null}
        {canChangePassword ? (
          <Button size="compact-sm" variant="default" mr="xs" onClick={() => openDialog("password")}>
            Change my password
          </Button>
        ) : null}
        <Button
          size="compact-sm"
          variant="default"
          disabled={isMe}
          onClick={() => change(person, { disabled: !person.disabled })}
          aria-label={`${person.disabled ? "Let in again" : "Lock out"}: ${person.name}`}
        >
          {person.disabled ? "Let in again" : "Lock out"}
        </Button>
      </Table.Td>
    </Table.Tr>
  );
}

/** Who may come in, and what they may do. For administrators. */
export function PeoplePage() {
  const users = useUsers();
  const me = useMe();
  const [inviting, setInviting] = useState(false);
  const accounts = me.data?.accounts ?? false;
  return (
    <Page
      title="People"
      lead="Who may come in, and what they may do."
      actions={
        <Button
          leftSection={<UserPlus size={16} aria-hidden />}
          disabled={!accounts}
          onClick={() => setInviting(true)}
        >
          Invite
        </Button>
      }
    >
      {accounts ? null : (
        <Alert variant="outline" mb="md" title="This studio runs for you alone">
          Start it with <code>anymask studio --accounts</code>, or for other computers with{" "}
          <code>--host</code>, to invite people. A one-time link then makes the first administrator.
        </Alert>
      )}
      <div className="card">
        <Loaded query={users}>
          {(data) => (
            <Table verticalSpacing="xs" aria-label="People">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Role</Table.Th>
                  <Table.Th>Since</Table.Th>
                  <Table.Th ta="right">Access</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {data.items.map((person) => {
                  const isMe = person.id === me.data?.user?.id;
                  return (
                    <PersonRow
                      key={person.id}
                      person={person}
                      isMe={isMe}
                      canChangePassword={isMe && accounts}
                    />
                  );
                })}
              </Table.Tbody>
            </Table>
          )}
        </Loaded>
      </div>
      <InviteDialog opened={inviting} close={() => setInviting(false)} />
    </Page>
  );
}
