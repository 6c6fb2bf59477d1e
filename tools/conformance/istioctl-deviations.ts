/**
 * Where our rules differ from Istio's analyzers on purpose, and why: by the case and what is missing (`IST0131 Kind namespace/name`) or
 * said beyond (our rule's code instead).
 */
export const DEVIATIONS: Readonly<Record<string, string>> = {}
