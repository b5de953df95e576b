export const CONCEPTS: string[] = []
