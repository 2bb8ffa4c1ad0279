/** The part of JSON Schema by which engines describe their options. */
export interface OptionSchema {
  title?: string;
  description?: string;
  type?: string | string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  enum?: unknown[];
  pattern?: string;
  maxLength?: number;
}

export interface Option extends OptionSchema {
  name: string;
  kind: "integer" | "number" | "boolean" | "choice" | "text";
  required: boolean;
}

/** The options of an engine in the order of its schema. */
export function readOptions(schema: unknown): Option[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { properties, required } = schema as { properties?: Record<string, OptionSchema>; required?: string[] };
  return Object.entries(properties ?? {}).map(([name, option]) => ({
    ...option,
    name,
    kind: kindOf(option),
    required: required?.includes(name) ?? false,
  }));
}

function kindOf(option: OptionSchema): Option["kind"] {
  if (Array.isArray(option.enum)) return "choice";
  const types = Array.isArray(option.type) ? option.type : [option.type];
  if (types.includes("integer")) return "integer";
  if (types.includes("number")) return "number";
  if (types.includes("boolean")) return "boolean";
  return "text";
}

/** What is wrong with a value; undefined when nothing is. An absent value means the default. */
export function checkOption(option: Option, value: unknown): string | undefined {
  const label = option.title ?? option.name;
  if (value === undefined || value === "") {
    return option.required && option.default === undefined ? `${label}: needs a value` : undefined;
  }
  if (option.kind === "text") return checkText(option, label, String(value));
  if (option.kind !== "integer" && option.kind !== "number") return undefined;
  const number = Number(value);
  if (!Number.isFinite(number)) return `${label}: must be a number`;
  if (option.kind === "integer" && !Number.isInteger(number)) return `${label}: must be a whole number`;
  if (option.minimum !== undefined && number < option.minimum) return `${label}: at least ${option.minimum}`;
  if (option.maximum !== undefined && number > option.maximum) return `${label}: at most ${option.maximum}`;
  return undefined;
}

function checkText({ pattern, maxLength }: Option, label: string, text: string): string | undefined {
  if (maxLength !== undefined && [...text].length > maxLength) return `${label}: at most ${maxLength} characters`;
  return pattern === undefined || fits(pattern, text) ? undefined : `${label}: must fit the pattern ${pattern}`;
}

/** A pattern that this browser does not read is left to the server. */
function fits(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}
