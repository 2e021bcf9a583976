/** Names of what is loaded; events of the server make it old by them. */
export const keys = {
  me: ["me"] as const,
  projects: ["projects"] as const,
  project: (project: string) => ["project", project] as const,
  images: (project: string) => ["images", project] as const,
  image: (image: string) => ["image", image] as const,
  labels: (project: string) => ["labels", project] as const,
  users: ["users"] as const,
  formats: ["formats"] as const,
  scan: (project: string) => ["scan", project] as const,
  statistics: (project: string) => ["statistics", project] as const,
  jobs: (project: string) => ["jobs", project] as const,
  reviews: ["reviews"] as const,
  models: (project: string) => ["models", project] as const,
  snapshots: (project: string) => ["snapshots", project] as const,
};
