import { Radio, SimpleGrid, Text } from "@mantine/core";
import type { ReactNode } from "react";

export interface ChoiceItem {
  value: string;
  title: string;
  note?: string;
  children: ReactNode;
}

interface ChoiceProps {
  label: string;
  items: ChoiceItem[];
  value: string;
  onChange: (value: string) => void;
}

/** One of a few, each with what it means. */
export function Choice({ label, items, value, onChange }: ChoiceProps) {
  return (
    <Radio.Group label={label} value={value} onChange={onChange}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm" mt="xs">
        {items.map((item) => (
          <Radio.Card key={item.value} value={item.value} className="choice" aria-label={item.title}>
            <Text fw={600} size="sm">
              {item.title}{" "}
              {item.note && (
                <Text span size="xs" c="dimmed" fw={400}>
                  {item.note}
                </Text>
              )}
            </Text>
            <Text size="sm" c="dimmed" mt={4}>
              {item.children}
            </Text>
          </Radio.Card>
        ))}
      </SimpleGrid>
    </Radio.Group>
  );
}
