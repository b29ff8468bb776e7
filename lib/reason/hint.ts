/** A text that is fed to the model, and its tokens as they continue what stands before. */
export interface Hint {
  text: string
  tokens: Int32Array
}

/** Appended when the window closes (hint `plain`). */
export const PLAIN_HINT = '\n\nI overthought it, the final answer should be:\n\n'
/** Appended when the window closes (hint `boxed`). */
export const BOXED_HINT = '\n\nI overthought it, the final answer in \\boxed{} should be:\n\n'
