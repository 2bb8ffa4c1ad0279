import { Alert, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { accountsQuery } from "../api/queries";
import { shortenAddress } from "../lib/format";
import { ProblemAlert } from "./ProblemAlert";

interface SignerSelectProps {
  network: string;
  value: string | null;
  onChange: (account: string | null) => void;
}

/** Which member's account signs: only those that the user may use. Says why when there is none. */
export function SignerSelect({ network, value, onChange }: SignerSelectProps) {
  const accounts = useQuery(accountsQuery(network));
  const usable = accounts.data?.items.filter((account) => account.usable) ?? [];
  const first = usable[0]?.id ?? null;
  useEffect(() => {
    if (value === null && first !== null) onChange(first);
  }, [value, first, onChange]);
  if (accounts.error) return <ProblemAlert error={accounts.error} />;
  if (accounts.data && usable.length === 0) {
    return (
      <Alert color="yellow" title="No account that you may use" p="sm">
        Transactions carry a member's signature. Sign in as a developer or administrator of a member organisation; a
        platform administrator may not sign for members.
      </Alert>
    );
  }
  return (
    <Select
      label="Signed by"
      description="The account of a member that you act for"
      data={usable.map((account) => ({
        value: account.id,
        label: `${account.member} (${shortenAddress(account.address)})`,
      }))}
      value={value}
      allowDeselect={false}
      onChange={onChange}
      disabled={accounts.data === undefined}
    />
  );
}
