/** What a request took, in tokens, and what several took together. */

/** Counts of tokens. */
export interface Usage {
  promptTokens: number
  cachedTokens: number
  thinkingTokens: number
  hintTokens: number
  answerTokens: number
  nudgeTokens: number
  probeTokens: number
}

export function sumOf(usages: readonly Usage[]): Usage {
  const sum = (name: keyof Usage) => usages.reduce((total, usage) => total + usage[name], 0)
  return {
    promptTokens: sum('promptTokens'),
    cachedTokens: sum('cachedTokens'),
    thinkingTokens: sum('thinkingTokens'),
    hintTokens: sum('hintTokens'),
    answerTokens: sum('answerTokens'),
    nudgeTokens: sum('nudgeTokens'),
    probeTokens: sum('probeTokens'),
  }
}
