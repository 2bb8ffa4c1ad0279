import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import {
  bracketMatching,
  defaultHighlightStyle,
  foldGutter,
  HighlightStyle,
  syntaxHighlighting,
} from "@codemirror/language";
import { linter, lintGutter } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers, placeholder as placeholderText } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import { styleNonce } from "../theme/nonce";

interface CodeEditorProps {
  label: string;
  value: string;
  onChange?: (text: string) => void;
  placeholder?: string;
  readOnly?: boolean;
}

const DARK = HighlightStyle.define([
  { tag: tags.propertyName, color: "#86b4f7" },
  { tag: tags.string, color: "#79c98d" },
  { tag: tags.number, color: "#efb65b" },
  { tag: [tags.bool, tags.null], color: "#d7a7f0" },
]);

const LOOK = EditorView.theme({
  "&": {
    fontSize: "0.75rem",
    backgroundColor: "var(--panel)",
    color: "var(--ink)",
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
  },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "1px" },
  ".cm-scroller": {
    fontFamily: "var(--mantine-font-family-monospace)",
    maxHeight: "320px",
    minHeight: "160px",
    overflow: "auto",
  },
  ".cm-gutters": {
    backgroundColor: "var(--panel-raised)",
    color: "var(--ink-soft)",
    borderRight: "1px solid var(--line)",
  },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-placeholder": { color: "var(--ink-soft)" },
});

/** An editor for JSON with its syntax checked while typing. Tab leaves it: the keyboard is not caught. */
export default function CodeEditor({ label, value, onChange, placeholder = "", readOnly = false }: CodeEditorProps) {
  const element = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const scheme = useComputedColorScheme();
  const colours = useRef(new Compartment());
  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; value and colours are set below
  useEffect(() => {
    if (element.current === null) return;
    view.current = new EditorView({
      parent: element.current,
      state: EditorState.create({
        doc: value,
        extensions: [
          EditorView.cspNonce.of(styleNonce),
          lineNumbers(),
          foldGutter(),
          history(),
          drawSelection(),
          bracketMatching(),
          json(),
          linter((editor) => (editor.state.doc.length === 0 ? [] : jsonParseLinter()(editor))),
          lintGutter(),
          keymap.of([...defaultKeymap, ...historyKeymap]),
          placeholderText(placeholder),
          colours.current.of([]),
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          EditorView.updateListener.of((update) => update.docChanged && change.current?.(update.state.doc.toString())),
          LOOK,
        ],
      }),
    });
    return () => {
      view.current?.destroy();
      view.current = null;
    };
  }, []);
  useEffect(() => {
    view.current?.dispatch({
      effects: colours.current.reconfigure(syntaxHighlighting(scheme === "dark" ? DARK : defaultHighlightStyle)),
    });
  }, [scheme]);
  useEffect(() => {
    const editor = view.current;
    if (editor === null || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  return <div ref={element} />;
}
