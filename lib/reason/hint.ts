/** A text that is fed to the model, and its tokens as they continue what stands before. */
export interface Hint {
  text: string
  tokens: Int32Array
}
