/** One row of a trajectory set, with the field names of Z1-Code-Reasoning-107K. */
export interface TrajectoryRecord {
  id: string
  question: string
  /** Reasoning and answer as one text, without delimiters between them. */
  response: string
  /** Tokens of `response` in the vocabulary that the set is meant for. */
  token_num_qwen: number
  /** The value that the response ends with, where it is known. */
  answer?: string
  family?: string
  /** 1 … 8: how much work the problem takes. */
  difficulty?: number
}
