import { Text } from "@mantine/core";
import { Copyable } from "../../ui/Copyable";

/** The same from a terminal: the command packs the directory by itself. */
export function CommandHint({ network }: { network: string }) {
  const command = `polder chaincode deploy DIR --network ${network}`;
  return (
    <Text size="sm" c="dimmed" component="div">
      From the command line, with the source directory as it is: <Copyable text={command} what="command" />
    </Text>
  );
}
