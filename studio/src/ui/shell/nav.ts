import { BarChart3, FolderInput, Images, type LucideIcon, Scale, Shapes, Tags, Zap } from "lucide-react";
import type { Role } from "../data/types";
import type { ProjectPage } from "../logic/routes";

export interface NavItem {
  page: ProjectPage;
  label: string;
  icon: LucideIcon;
  roles: readonly Role[];
}

const EVERYONE: readonly Role[] = ["annotator", "reviewer", "admin"];
const REVIEWERS: readonly Role[] = ["reviewer", "admin"];

/** A project's pages in the order of the header, with who may open them. */
export const NAVIGATION: readonly NavItem[] = [
  { page: "gallery", label: "Pictures", icon: Images, roles: EVERYONE },
  { page: "review", label: "Review", icon: Scale, roles: REVIEWERS },
  { page: "labels", label: "Labels", icon: Tags, roles: REVIEWERS },
  { page: "engine", label: "Assist", icon: Zap, roles: REVIEWERS },
  { page: "progress", label: "Progress", icon: BarChart3, roles: EVERYONE },
  { page: "versions", label: "Versions", icon: FolderInput, roles: REVIEWERS },
  { page: "collage", label: "Collage", icon: Shapes, roles: EVERYONE },
];
