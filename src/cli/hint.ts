const COMMAND = /\b(?:deploy|rollback|status|destroy|drain|policy|report|[1-6]0-[a-z]+)\.(?:mjs|ts)\b(?! --context)/g

/** Commands as they are to be typed: in another context than the usual one they need its name. */
export const inContext = (text: string, context: string, env: NodeJS.ProcessEnv = process.env): string =>
  context === (env.EGRESS_CONTEXT || 'sandbox') ? text : text.replace(COMMAND, `$& --context ${context}`)
