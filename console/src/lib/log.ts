/** The parts of a line that a node wrote. */
export interface LogParts {
  /** Time and level as they stand in the line; empty for lines that begin otherwise. */
  head: string;
  level: string;
  text: string;
}

/** What terminals take as colours and the like. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
const COLOURS = /\u001b\[[0-9;]*[A-Za-z]/g;

/** Programs that shorten levels mean these. */
const SHORTENED: Record<string, string> = { DEBU: "DEBUG", ERRO: "ERROR", PANI: "PANIC", FATA: "PANIC" };

/**
 * Takes a line of a usual form apart, `TIME LEVEL text` or `DATE TIME ZONE [NUMBER] LEVEL text`; other lines are all text.
 * A panic has no level of its own.
 */
export function readLogLine(coloured: string): LogParts {
  const line = coloured.replaceAll(COLOURS, "");
  const found =
    /^(\d{4}-\d\d-\d\dT\S+)\s+(TRACE|DEBUG|INFO|WARN|ERROR)\s+(.*)$/s.exec(line) ??
    /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* [A-Z]{3,4})(?: [0-9a-f]+)? (DEBU|INFO|WARN|ERRO|PANI|FATA)\s+(.*)$/s.exec(
      line,
    );
  if (found) {
    const level = found[2] ?? "";
    return { head: found[1] ?? "", level: SHORTENED[level] ?? level, text: found[3] ?? "" };
  }
  return { head: "", level: /\bpanicked at\b/.test(line) ? "PANIC" : "", text: line };
}
