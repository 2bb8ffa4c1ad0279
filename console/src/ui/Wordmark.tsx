/** Fields between ditches, and water below: the mark of Polder, as in `public/favicon.svg`. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <clipPath id="polder-mark">
        <rect width="32" height="32" rx="7" />
      </clipPath>
      <g clipPath="url(#polder-mark)">
        <path fill="#135361" d="M0 0h32v32H0z" />
        <path fill="#7cc48d" d="M-2 18 9 5h4.5L3.5 18zM7 18l8.500-13H20l-4.500 13zM19.500 18 23 5h4.500L31 18z" />
        <path
          fill="none"
          stroke="#67c7d8"
          strokeWidth="2.4"
          strokeLinecap="round"
          d="M-2 22.500c3 0 3 2 6 2s3-2 6-2 3 2 6 2 3-2 6-2 3 2 6 2 3-2 6-2M-2 28c3 0 3 2 6 2s3-2 6-2 3 2 6 2 3-2 6-2 3 2 6 2 3-2 6-2"
        />
      </g>
    </svg>
  );
}

export function Wordmark() {
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: 10 }}>
      <Mark />
      <span style={{ fontSize: "1.125rem", fontWeight: 600, letterSpacing: "0.01em", color: "inherit" }}>Polder</span>
    </span>
  );
}
