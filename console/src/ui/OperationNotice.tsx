import { notifications } from "@mantine/notifications";
import type { Operation } from "../api/types";
import { formatKind } from "../lib/format";
import { TextLink } from "./links";

/** Says that an operation was taken on, with the way to its steps. */
export function noticeOperation(operation: Operation) {
  notifications.show({
    id: operation.id,
    title: `${formatKind(operation.kind)} ${operation.subjectName}`,
    message: (
      <TextLink to="/operations/$operation" params={{ operation: operation.id }}>
        View progress
      </TextLink>
    ),
    autoClose: 6000,
    closeButtonProps: { "aria-label": "Close" },
  });
}
