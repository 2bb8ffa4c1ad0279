import { Text } from "@mantine/core";
import type { DecodedCall } from "../../api/types";
import { showValue } from "../../ui/Facts";
import { AddressLink } from "../../ui/tables";

/** A call or an event with its arguments by name and type. */
export function DecodedView({ network, decoded }: { network: string; decoded: DecodedCall }) {
  return (
    <div>
      <Text size="sm" fw={500} className="mono break" mb="xs">
        {decoded.signature}
      </Text>
      {decoded.arguments.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section className="table-wrap" tabIndex={0} aria-label={`Arguments of ${decoded.name}, scrolls sideways`}>
          <table className="table" aria-label={`Arguments of ${decoded.name}`}>
            <thead>
              <tr>
                <th scope="col">Argument</th>
                <th scope="col">Type</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {decoded.arguments.map((argument, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: arguments are in fixed order and may lack names
                <tr key={index}>
                  <td>{argument.name || index}</td>
                  <td className="mono soft">{argument.type}</td>
                  <td className="break">
                    {argument.type === "address" && typeof argument.value === "string" ? (
                      <AddressLink network={network} address={argument.value} full />
                    ) : (
                      showValue(argument.value)
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
