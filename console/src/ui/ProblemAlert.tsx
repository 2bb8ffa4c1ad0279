import { Alert, Anchor, Code, List, Text } from "@mantine/core";
import { toProblem } from "../api/problem";
import { IconAlert } from "./icons";

/** Says what went wrong and what to do, with the way to the page that explains the code. Nothing without an error. */
export function ProblemAlert({ error, mt }: { error: unknown; mt?: string }) {
  if (error == null) return null;
  const problem = toProblem(error);
  const fields = problem.fields ?? [];
  return (
    <Alert color="red" variant="light" mt={mt} icon={<IconAlert size={18} />} title={problem.title} role="alert">
      <Text size="sm" className="break">
        {problem.detail}
      </Text>
      {fields.length > 0 && (
        <List size="sm" mt="xs">
          {fields.map((field) => (
            <List.Item key={field.field}>
              <Code>{field.field}</Code> {field.message}
            </List.Item>
          ))}
        </List>
      )}
      <Text size="xs" c="dimmed" mt="xs" className="break">
        {problem.type.startsWith("/") ? (
          <Anchor href={problem.type} target="_blank" rel="noreferrer" size="xs" underline="always">
            What {problem.code} means
          </Anchor>
        ) : (
          problem.code
        )}
        {problem.instance && <> · Request {problem.instance}</>}
      </Text>
    </Alert>
  );
}
