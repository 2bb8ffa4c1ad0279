import { useState } from "react";
import type { Arguments } from "../api/types";
import { type AbiParameter, type Draft, emptyDraft, parseArgument } from "../lib/abi";

/** The drafts of a form's arguments, and their values once all are right. */
export function useArguments(parameters: AbiParameter[]) {
  const [drafts, setDrafts] = useState<Draft[]>(() => parameters.map(emptyDraft));
  const [tried, setTried] = useState(false);
  const parsed = parameters.map((parameter, index) => parseArgument(parameter, drafts[index] ?? emptyDraft(parameter)));
  const errors = parsed.map((one) => ("error" in one ? one.error : undefined));
  return {
    drafts,
    setDrafts,
    errors: tried ? errors : [],
    /** The values, or undefined when some are wrong: then the errors show. */
    take(): Arguments | undefined {
      setTried(true);
      return errors.some((error) => error !== undefined)
        ? undefined
        : (parsed.map((one) => ("value" in one ? one.value : null)) as Arguments);
    },
  };
}
