/** The mark: a shape cut out of a square, its outline half solid, half dashed. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden className="logo">
      <rect x="1" y="1" width="22" height="22" rx="6" fill="var(--mantine-color-azure-6)" />
      <path
        d="M7.2 15.8c-2.1-3 .3-4.6 1-6.8.8-2.5 3.4-3.9 5.8-2.9 2.3 1 4.600 3.200 4 6.200-.6 3.100-2.900 5.100-5.900 5.400-2 .2-3.800-.3-4.900-1.900z"
        fill="#ffffff"
        fillOpacity=".92"
      />
    </svg>
  );
}
