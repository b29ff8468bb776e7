/** What a request took, in tokens, and what several took together. */

/** Counts of tokens. */
export interface Usage {
  promptTokens: number
  /** Of the prompt: they were in the KV cache already. */
  cachedTokens: number
  thinkingTokens: number
  hintTokens: number
  answerTokens: number
  /** Fed in the place of an end (`wait`); no thinking tokens. */
  nudgeTokens: number
  /** Fed and generated beside the response, for a policy. */
  probeTokens: number
  /** With `speculation`: decoded before they were sampled. */
  draftedTokens: number
  /** Of them, those that were sampled and took no decode of their own. */
  acceptedTokens: number
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
    draftedTokens: sum('draftedTokens'),
    acceptedTokens: sum('acceptedTokens'),
  }
}
