import { Badge, Group } from "@mantine/core";
import type { Log } from "../../api/types";
import { Facts } from "../../ui/Facts";
import { AddressLink } from "../../ui/tables";
import { DecodedView } from "./DecodedView";

export function LogView({ network, log }: { network: string; log: Log }) {
  return (
    <div>
      <Group gap="sm" mb="xs">
        <Badge variant="default" size="sm">
          {log.index}
        </Badge>
        <span>
          {log.decoded?.name ?? "Log"} of <AddressLink network={network} address={log.address} />
        </span>
      </Group>
      {log.decoded ? (
        <DecodedView network={network} decoded={log.decoded} />
      ) : (
        <Facts
          items={[
            ...log.topics.map((topic, index): [string, React.ReactNode] => [
              `Topic ${index}`,
              <span key={topic} className="mono">
                {topic}
              </span>,
            ]),
            [
              "Data",
              <span key="data" className="mono">
                {log.data}
              </span>,
            ],
          ]}
        />
      )}
    </div>
  );
}
