/** What an error code means, and what to do: an entry of docs/errors.md and the answer of `explain`. */
export interface ErrorCode {
  readonly title: string
  readonly remedy: string
}

/** Every error that a person can see. Codes are permanent: never renamed, never given another meaning. */
export const ERROR_CODES: Readonly<Record<string, ErrorCode>> = {
  'DOC-01': {
    title: 'A document is no valid YAML',
    remedy:
      'Mend the place that is named; the cause may stand a little before it. The other documents of the file are judged all the same. YAML indents with spaces, never tabs, and needs quotes around texts that contain ": " or begin with a special character.',
  },
  'DOC-02': {
    title: 'A key is written twice in one map',
    remedy:
      'Keep one of the two. Kubernetes would silently take the last one, so that a reader and a reviewer may see another value than the cluster.',
  },
  'DOC-03': {
    title: 'A document or file is too large',
    remedy:
      'Split it. kube-apiserver takes objects of at most 3 MiB; Meshward reads documents of at most 4 MiB (and a million tokens) and texts of at most 8 MiB.',
  },
  'DOC-04': {
    title: 'A document is nested too deep',
    remedy: 'Flatten it to at most 200 levels, aliases written out. No kind of Kubernetes needs more.',
  },
  'DOC-05': {
    title: 'The aliases of a document, written out, make it too large',
    remedy: 'Write the values out where they are used, or use fewer aliases of aliases.',
  },
  'DOC-06': {
    title: 'YAML that Kubernetes cannot take as JSON',
    remedy:
      'Keys must be texts, whole numbers or booleans; tags other than those of texts, numbers and booleans mean nothing; infinity and NaN have no JSON; an alias needs an anchor before it.',
  },
  'DOC-07': {
    title: 'A document is a template, not a manifest',
    remedy: 'Render it first and check the result: `helm template CHART | meshward check -`.',
  },
  'DOC-08': {
    title: 'A document is no Kubernetes object',
    remedy:
      'Write `apiVersion` and `kind`. In a folder such documents are passed over with a note; a file that is named must hold objects.',
  },
  'DOC-09': {
    title: 'Two documents describe the same object',
    remedy: 'Keep one of them. When both are applied, whichever comes last wins.',
  },
  'DOC-10': {
    title: 'There is no Kubernetes object in what was given',
    remedy: 'Give at least one manifest. An empty answer would look like a clean one.',
  },
  'FILE-01': { title: 'There is no such file or folder', remedy: 'Check the path; it is relative to where you are.' },
  'FILE-02': {
    title: 'A file or folder cannot be read',
    remedy: 'Give yourself permission to read it, or leave it out.',
  },
  'FILE-03': { title: 'A file is not UTF-8 text', remedy: 'Save it as UTF-8. UTF-16 and binary files are not read.' },
  'FILE-04': {
    title: 'A folder holds no manifests',
    remedy: 'Name the folder that has your manifests: files ending in .yaml, .yml or .json, in it or below.',
  },
  'FILE-05': {
    title: 'A file cannot be written',
    remedy: 'Give yourself permission to write it, or use `fix -o diff` without --write.',
  },
  'FILE-06': {
    title: 'There is no schema of a kind in what --crds names',
    remedy:
      'Name files or folders with CustomResourceDefinitions, or documents of the API server: `kubectl get crds -o yaml`, `kubectl get --raw /openapi/v3/apis/apps/v1`.',
  },
  'CLI-01': {
    title: '--only names no rule',
    remedy: 'Use the code of a rule (MTLS-02), its area (MTLS) or the name of its policy; `meshward list` shows them.',
  },
  'CLI-02': {
    title: 'Standard input cannot be written in place',
    remedy: 'Use `fix - -o yaml` and redirect the output.',
  },
  'CLI-03': {
    title: 'A file for `meshward cel` does not hold exactly one document',
    remedy: 'Give a file with one object or one set of parameters.',
  },
  'CLI-04': {
    title: 'A file of sample requests holds no list',
    remedy:
      'Write a list of requests, each with id, principal, ip, method, path and host, or a map with such a list under `requests`.',
  },
  'CLI-05': {
    title: 'No workload has the name that was asked for',
    remedy: 'Write it as namespace/name: a pod, or the Deployment or Service whose pods are meant.',
  },
  'CLI-06': {
    title: 'There is nothing to judge',
    remedy: 'Name files, folders or - for standard input, or give --cluster to judge what is in a cluster.',
  },
  'CLUSTER-01': {
    title: 'The cluster cannot be talked to',
    remedy:
      'Give a kubeconfig with --kubeconfig or KUBECONFIG and, with --kube-context, one of its contexts. `kubectl get namespaces` with the same settings shows whether they work.',
  },
  'CLUSTER-02': {
    title: 'A kind cannot be read from the cluster',
    remedy:
      'The reason is what the API server answered. Whoever reads a whole mesh needs the right to list each of its kinds in all namespaces; `kubectl auth can-i list KIND -A` tells.',
  },
  'POLICY-FILE': {
    title: 'A file or folder of policies cannot be read',
    remedy: 'Check the path and its permissions.',
  },
  'POLICY-SHAPE': {
    title: 'The text of a policy does not have the shape of a MeshPolicy',
    remedy: 'Mend the field that is named; docs/policy-language.md shows every field.',
  },
  'POLICY-PATH': {
    title: 'A JSONPath of a policy cannot be read',
    remedy: 'Paths walk: fields, indexes, wildcards, unions, slices and `..`. Conditions belong into `when`.',
  },
  'POLICY-PARAMS': {
    title: 'The default parameters of a policy do not fit its own schema',
    remedy: 'Mend the default or the schema.',
  },
  'POLICY-TESTS': {
    title: 'The examples of a policy cannot be read',
    remedy:
      'Write tests.yaml with at least one example that fails and one that passes; docs/policy-language.md shows the fields.',
  },
  'POLICY-DUPLICATE': {
    title: 'Two policies have one name or code',
    remedy: 'Give each a name and a code of its own.',
  },
  'POLICY-DEFAULT-CONFLICT': {
    title: 'Two policies fill the same field',
    remedy: 'Let only one of them fill it: bind the other with `defaultsAction: Off`, or remove its default.',
  },
  'BINDING-SHAPE': {
    title: 'The text of a binding does not have the shape of a MeshPolicyBinding',
    remedy: 'Mend the field that is named.',
  },
  'BINDING-POLICY': {
    title: 'A binding names no policy',
    remedy: 'Use a name, a code or a pattern of either; `meshward list` shows them.',
  },
  'BINDING-PARAMS': {
    title: 'The parameters of a binding do not fit the schema of the policy',
    remedy: '`meshward explain CODE` shows the parameters of a rule.',
  },
  'PROFILE-NAME': {
    title: 'There is no profile of this name',
    remedy: 'Use baseline, strict, resilient or ambient, or the path of a file of MeshPolicyBindings.',
  },
  'CEL-SYNTAX': {
    title: 'An expression is no valid CEL',
    remedy: 'Mend the place that is named; docs/cel.md describes the language.',
  },
  'CEL-UNKNOWN-NAME': {
    title: 'An expression uses a name that is not known',
    remedy: 'Use one of the variables that the place offers.',
  },
  'CEL-UNKNOWN-FIELD': {
    title: 'An expression reads a field that its type does not have',
    remedy:
      'Check the spelling against the schema. For a field of the object this is a warning, unless `meshward test` or --strict-types makes it an error.',
  },
  'CEL-UNKNOWN-FUNCTION': {
    title: 'An expression calls a function that is not known',
    remedy: 'Check the spelling and the number of arguments; docs/cel.md lists the functions.',
  },
  'CEL-TYPE': {
    title: 'An expression has the wrong type',
    remedy: 'Convert the value, for example by string(), int() or duration(), or compare like with like.',
  },
  'CEL-LITERAL': {
    title: 'A literal in an expression is not what it stands for',
    remedy: 'Write a valid duration, timestamp, pattern or quantity.',
  },
  'CEL-LIMIT': {
    title: 'An expression is too large',
    remedy: 'Split it: variables are evaluated at most once and may build on each other.',
  },
  'CEL-UNSUPPORTED': {
    title: 'An expression uses a part of the dialect that Meshward does not have',
    remedy: 'Do without it: the authorizer, for one, would need to ask the API server in the middle of a request.',
  },
  'CEL-COST': {
    title: 'An expression costs too much to evaluate',
    remedy: 'Narrow what it walks over: pick the places by `forEach`, and avoid loops in loops.',
  },
  'CEL-RUNTIME': {
    title: 'An expression failed on an object',
    remedy: 'Guard what may be missing by has(), and what may be of another type by type().',
  },
}
