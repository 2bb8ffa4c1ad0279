import { Text } from "@mantine/core";
import type { Operation, Step } from "../api/types";
import { formatDuration } from "../lib/format";
import { toneOf, toneStyle } from "./Status";
import { useNow } from "./Time";

/** The steps of an operation in order, each with its time, tries and message. */
export function OperationSteps({ operation }: { operation: Operation }) {
  return (
    <ol className="steps" aria-label="Steps">
      {operation.steps.map((step) => (
        <StepLine key={step.name} step={step} told={operation.error?.detail} />
      ))}
    </ol>
  );
}

/** What the operation's own error has told is not said again. */
function StepLine({ step, told }: { step: Step; told?: string }) {
  const tone = step.status === "running" ? "busy" : toneOf(step.status);
  return (
    <li className="step" style={toneStyle(tone)}>
      <Mark status={step.status} />
      <div style={{ minWidth: 0 }}>
        <Text size="sm" fw={step.status === "running" ? 500 : 400} c={step.status === "queued" ? "dimmed" : undefined}>
          {step.title}
          <span className="visually-hidden">, {step.status}</span>
        </Text>
        {step.message && step.message !== told && (
          <Text size="xs" className="break" c={step.status === "failed" ? "var(--bad)" : "dimmed"}>
            {step.message}
          </Text>
        )}
        {step.attempts > 1 && (
          <Text size="xs" c="dimmed">
            Attempt {step.attempts}
          </Text>
        )}
      </div>
      <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap" }}>
        <Elapsed from={step.startedAt} to={step.finishedAt} />
      </Text>
    </li>
  );
}

function Mark({ status }: { status: Step["status"] }) {
  const path = { succeeded: "m6 10.500 2.700 2.700L14 7.500", failed: "m7 7 6 6m0-6-6 6", undone: "M6.500 10h7" }[
    status as string
  ];
  const filled = status !== "queued";
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <circle
        cx="10"
        cy="10"
        r="8"
        strokeWidth="2"
        fill={filled && path ? "var(--tone)" : "var(--panel)"}
        stroke={filled ? "var(--tone)" : "var(--line-strong)"}
      />
      {path ? (
        <path d={path} fill="none" stroke="var(--panel)" strokeWidth="2" strokeLinecap="round" strokeLinejoin="round" />
      ) : (
        filled && <circle cx="10" cy="10" r="3.500" fill="var(--tone)" />
      )}
    </svg>
  );
}

export function Elapsed({ from, to }: { from: number | null | undefined; to: number | null | undefined }) {
  const now = useNow();
  if (from == null) return null;
  return <>{formatDuration((to ?? now * 1000) - from)}</>;
}
