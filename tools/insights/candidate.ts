// What a finder hands in.

export const INSIGHT_KINDS = [
  'trend',
  'break',
  'seasonality',
  'outlier',
  'driver',
  'correlation',
  'concentration',
  'missing_periods',
] as const
export type InsightKind = (typeof INSIGHT_KINDS)[number]

export interface Candidate {
  kind: InsightKind
  /** The columns it speaks of, the measure first. */
  columns: string[]
  /** A sentence with {names} for its figures. */
  sentence: string
  /** name → SQL that answers one row with one value. */
  figures: Record<string, string>
  /** How the chance was computed, in words. */
  method: string
  /** The chance of seeing this where there is nothing; undefined for plain counts, which are not a matter of chance. */
  chance: number | undefined
  /** 0–1: how much of the matter it explains. Ranks the insights. */
  weight: number
  /** When, and in which segment: what a chart or a caller needs to point at it. */
  at?: {
    period?: string
    row?: number
    segment?: string
    dimension?: string
    cycle?: string
    direction?: 'up' | 'down'
  }
  warnings?: string[]
  /** The query whose rows show it: a series or the segments, for a chart. */
  evidence?: string
}
