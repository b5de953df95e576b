// What kinds of documents there are, and what each looks like.
import type { Language } from './words.ts'

export interface DocumentKind {
  label: string
  train: Record<Language, string[]>
  /** Other templates than those of the training: what the classifier gets right here, it has not learnt by heart. */
  test: Record<Language, string[]>
}
