import { Button, Group, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api } from "../../api/client";
import { toProblem } from "../../api/problem";
import { type Notation, readSearch } from "../../lib/search";
import { IconSearch } from "../../ui/icons";

const ADVICE: Record<Notation, string> = {
  prefixed: "Type a block's height, a hash of 64 hex digits, or an address of 40.",
  named: "Type a block's height, a hash of 64 hex digits, a contract's name, or an account such as MSP/name.",
};

interface LedgerSearchProps {
  network: string;
  channel: string | undefined;
  notation: Notation;
}

/** Finds a block by height or hash, a transaction by hash, or an address. */
export function LedgerSearch({ network, channel, notation }: LedgerSearchProps) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const search = useMutation({
    mutationFn: async () => {
      const term = readSearch(text, notation);
      if (term === undefined) throw new Error(ADVICE[notation]);
      if (term.kind === "address")
        return navigate({ to: "/networks/$network/addresses/$address", params: { network, address: term.address } });
      if (term.kind === "block")
        return navigate({ to: "/networks/$network/blocks/$block", params: { network, block: term.number } });
      return openHash(term.hash);
    },
    onSuccess: () => setText(""),
  });
  const openHash = async (hash: string) => {
    const transaction = await api.GET("/api/v1/networks/{network}/transactions/{hash}", {
      params: { path: { network, hash }, query: { channel } },
    });
    if (transaction.data) return navigate({ to: "/networks/$network/transactions/$hash", params: { network, hash } });
    const block = await api.GET("/api/v1/networks/{network}/blocks/{block}", {
      params: { path: { network, block: hash }, query: { channel } },
    });
    if (block.data)
      return navigate({
        to: "/networks/$network/blocks/$block",
        params: { network, block: String(block.data.number) },
      });
    if (block.response.status !== 404) throw block.error;
    throw new Error("No block and no transaction of this ledger has this hash.");
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() !== "") search.mutate();
  };
  return (
    <search aria-label="Ledger" style={{ maxWidth: 640 }}>
      <form onSubmit={submit}>
        <Group gap="xs" wrap="nowrap" align="flex-start">
          <TextInput
            style={{ flex: 1 }}
            leftSection={<IconSearch size={16} />}
            placeholder="Height, hash or address"
            aria-label="Search the ledger by height, hash or address"
            autoComplete="off"
            spellCheck={false}
            value={text}
            error={search.error && toProblem(search.error).detail}
            onChange={(event) => {
              search.reset();
              setText(event.currentTarget.value);
            }}
          />
          <Button type="submit" variant="default" loading={search.isPending}>
            Search
          </Button>
        </Group>
      </form>
    </search>
  );
}
