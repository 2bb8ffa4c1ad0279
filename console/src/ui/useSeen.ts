import { useIntersection } from "@mantine/hooks";
import { useState } from "react";

/** Whether an element has come near the part of the page in sight: until then its large library would hold up the rest. */
export function useSeen() {
  const { ref, entry } = useIntersection<HTMLDivElement>({ rootMargin: "200px" });
  const [seen, setSeen] = useState(false);
  if (entry?.isIntersecting && !seen) setSeen(true);
  return { ref, seen };
}
