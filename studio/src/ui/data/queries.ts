/** Reads: one hook per resource. Keys start with the resource's name; events of the server invalidate by it. */

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { get } from "../../api/http";
import { keys } from "./keys";
import type {
  Agreement,
  Assist,
  FormatInfo,
  ImageFacts,
  ImageState,
  ImageSummary,
  Label,
  Listing,
  Me,
  Person,
  Project,
  ProjectModel,
  Review,
  Scan,
  Snapshot,
  Statistics,
} from "./types";

export function useMe() {
  return useQuery({ queryKey: keys.me, queryFn: () => get<Me>("/me"), staleTime: 60_000 });
}

export function useProjects(enabled = true) {
  return useQuery({ queryKey: keys.projects, queryFn: () => get<Listing<Project>>("/projects"), enabled });
}

export function useProject(project: string | null) {
  return useQuery({
    queryKey: keys.project(project ?? ""),
    queryFn: () => get<Project>(`/projects/${project}`),
    enabled: project !== null,
  });
}

export interface ImageFilter {
  search: string;
  state: ImageState | null;
  label: string | null;
  order: string;
}

export const NO_FILTER: ImageFilter = { search: "", state: null, label: null, order: "name" };

const PAGE = 200;

export function useImages(project: string, filter: ImageFilter) {
  return useInfiniteQuery({
    queryKey: [...keys.images(project), filter],
    queryFn: ({ pageParam, signal }) =>
      get<Listing<ImageSummary>>(
        `/projects/${project}/images`,
        { ...filter, cursor: pageParam, limit: PAGE },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
  });
}

export function useImageFacts(image: string, enabled = true) {
  return useQuery({
    queryKey: keys.image(image),
    queryFn: () => get<ImageFacts>(`/images/${image}`),
    enabled,
  });
}

/** What the person may do beyond labelling. */
export function useMay(): { review: boolean; administrate: boolean } {
  const role = useMe().data?.user?.role;
  return { review: role === "reviewer" || role === "admin", administrate: role === "admin" };
}

export function useLabels(project: string) {
  return useQuery({
    queryKey: keys.labels(project),
    queryFn: async () => {
      const listing = await get<Listing<Label>>(`/projects/${project}/labels`);
      return [...listing.items].sort((a, b) => a.position - b.position);
    },
    staleTime: 30_000,
  });
}

export function useUsers() {
  return useQuery({ queryKey: keys.users, queryFn: () => get<Listing<Person>>("/users") });
}

export function useFormats(enabled: boolean) {
  return useQuery({
    queryKey: keys.formats,
    queryFn: async () => (await get<{ formats: FormatInfo[] }>("/formats")).formats,
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useSnapshots(project: string) {
  return useQuery({
    queryKey: keys.snapshots(project),
    queryFn: () => get<Listing<Snapshot>>(`/projects/${project}/snapshots`),
  });
}

export function useStatistics(project: string) {
  return useQuery({
    queryKey: keys.statistics(project),
    queryFn: () => get<Statistics>(`/projects/${project}/statistics`),
  });
}

export function useModels(project: string) {
  return useQuery({
    queryKey: keys.models(project),
    queryFn: () => get<Listing<ProjectModel>>(`/projects/${project}/models`),
  });
}

const WATCH_MILLISECONDS = 2000;

/** The assistant's run and what is left; looked at again and again while it is at work. */
export function useAssist(project: string) {
  return useQuery({
    queryKey: keys.jobs(project),
    queryFn: () => get<Assist>(`/projects/${project}/assist`),
    refetchInterval: ({ state }) =>
      state.data?.job?.state === "running" || state.data?.job?.state === "waiting"
        ? WATCH_MILLISECONDS
        : false,
  });
}

export function useReviews(image: string) {
  return useQuery({
    queryKey: [...keys.reviews, image],
    queryFn: async () => (await get<Listing<Review>>(`/images/${image}/reviews`)).items,
  });
}

export function useAgreement(image: string) {
  return useQuery({
    queryKey: [...keys.reviews, image, "agreement"],
    queryFn: async () => (await get<Listing<Agreement>>(`/images/${image}/agreement`)).items,
  });
}

/** The last look through the project's folder; looked at again while it goes on. */
export function useScan(project: string) {
  return useQuery({
    queryKey: keys.scan(project),
    queryFn: () => get<Scan>(`/projects/${project}/scan`),
    refetchInterval: ({ state }) => (state.data?.running ? WATCH_MILLISECONDS : false),
  });
}
