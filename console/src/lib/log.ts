/** The parts of a line that a node wrote. */
export interface LogParts {
  /** Time and level as they stand in the line; empty for lines that begin otherwise. */
  head: string;
  level: string;
  text: string;
}

/** Takes a line of the usual form `TIME LEVEL text` apart; other lines are all text. A panic has no level of its own. */
export function readLogLine(line: string): LogParts {
  const found = /^(\d{4}-\d\d-\d\dT\S+)\s+(TRACE|DEBUG|INFO|WARN|ERROR)\s+(.*)$/s.exec(line);
  if (found) return { head: found[1] ?? "", level: found[2] ?? "", text: found[3] ?? "" };
  return { head: "", level: /\bpanicked at\b/.test(line) ? "PANIC" : "", text: line };
}
