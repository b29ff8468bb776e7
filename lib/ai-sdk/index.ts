/** `z1-native/ai-sdk`: a reasoner as a language model of the AI SDK. */
export { type LanguageModelOptions, type LanguageModelV4, languageModel } from './language-model.js'
