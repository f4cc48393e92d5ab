/**
 * The three parts of the sandbox and what they ask of each other. The emulated APIs decide, the machines do:
 * `scaleway/` and `kubernetes/` hold state and speak HTTP, `machines/` makes namespaces, routes and processes.
 * Every call is idempotent: it brings the world to what the argument says, whatever was there.
 */
export interface Machines {
  /** A layer-2 segment in the VPC. */
  networkUp(network: { id: string; cidr: string }): Promise<void>
  networkDown(id: string): Promise<void>
  /** A Public Gateway: NAT for its networks, and a bastion sshd (user `bastion`). */
  gatewayUp(gateway: GatewaySpec): Promise<void>
  gatewayDown(id: string): Promise<void>
  /** Boots the server when it is off; changes addresses, security group and routes in place when it is on. */
  serverUp(server: ServerSpec): Promise<void>
  /** Power off: processes end, the disk stays. */
  serverOff(id: string): Promise<void>
  serverDelete(id: string): Promise<void>
  nodeUp(node: NodeSpec): Promise<void>
  nodeDown(id: string): Promise<void>
  /** Addresses of the internet of this sandbox (IPv4). */
  readonly internet: Internet
}

export type Internet = {
  /** e.g. 203.0.113.0/25; flexible IPs of gateways are the 10th to 39th address, of instances the 40th to 109th. */
  cidr: string
  gatewayPool: string[]
  instancePool: string[]
  dns: string
}

export type GatewaySpec = {
  id: string
  name: string
  publicIp: string
  bastion: { enabled: boolean; port: number; allowedIps: string[]; authorizedKeys: string[] }
  networks: { networkId: string; address: string; masquerade: boolean; defaultRoute: boolean }[] // address: 172.16.28.2/22
}

export type ServerSpec = {
  id: string
  name: string
  publicIps: string[]
  nics: { id: string; networkId: string; address: string; mac: string; defaultRoute: string | null }[] // defaultRoute: the gateway's private IPv4, used when there is no public IP
  securityGroup: SecurityGroup | null
  /** cloud-init user data, applied at first boot only. */
  userData: string | null
  /** Public keys of the project, for root. */
  authorizedKeys: string[]
}

/** Guards only traffic with the internet, as on Scaleway. */
export type SecurityGroup = {
  inboundDefault: 'accept' | 'drop'
  outboundDefault: 'accept' | 'drop'
  rules: {
    direction: 'inbound' | 'outbound'
    action: 'accept' | 'drop'
    protocol: 'TCP' | 'UDP' | 'ICMP' | 'ANY'
    ipRange: string
    portFrom: number | null
    portTo: number | null
  }[] // in order; the first match wins
}

export type NodeSpec = {
  id: string
  name: string
  clusterId: string
  networkId: string
  address: string // 172.16.28.20/22
  defaultRoute: string | null // the gateway's private IPv4
}

/** What the emulated Scaleway API asks of the emulated Kubernetes: one control plane per cluster. */
export interface Clusters {
  create(cluster: {
    id: string
    name: string
    version: string
    podCidr: string
    serviceCidr: string
    dnsIp: string
  }): Promise<void>
  delete(id: string): Promise<void>
  /** A node joins; pods can be scheduled to it from then on. */
  addNode(
    clusterId: string,
    node: { name: string; address: string; labels: Record<string, string>; taints: Taint[] },
  ): Promise<void>
  updateNode(
    clusterId: string,
    name: string,
    change: { labels: Record<string, string>; taints: Taint[] },
  ): Promise<void>
  removeNode(clusterId: string, name: string): Promise<void>
  /** Admin kubeconfig, YAML: server https://127.0.0.1:PORT, CA and token inside. */
  kubeconfig(id: string, contextName: string): string
}

export type Taint = { key: string; value?: string; effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute' }

/** What the emulated Kubernetes asks of the machines. `node` is the node's name. */
export interface Pods {
  /** Tells a node its share of the pod range and the whole ranges, and every node the routes to the others. */
  joinNode(node: {
    name: string
    clusterId: string
    podCidr: string
    clusterPodCidr: string
    serviceCidr: string
    peers: { address: string; podCidr: string }[]
  }): Promise<void>
  leaveNode(name: string): Promise<void>
  /** Makes the pod's namespace with its address and starts the processes of containers that wait for no turn. */
  start(pod: PodSpec): Promise<void>
  /** TERM, then KILL after the grace; the namespace is gone when this returns. */
  stop(uid: string, graceSeconds: number): Promise<void>
  /**
   * Exit codes of the containers that ended (null while running), polled; restartCount is the caller's business. One
   * whose turn has not come is not there.
   */
  state(
    uid: string,
  ): Promise<{ running: boolean; containers: Record<string, { exitCode: number | null; startedAt: string }> } | null>
  restart(uid: string, container: string): Promise<void>
  /** Ends one container as `stop` does; the pod stays, and its other containers run on. */
  halt(uid: string, container: string, graceSeconds: number): Promise<void>
  /** Puts what volumes hold now into a running pod, as a kubelet does: all of a volume at once, by one turned link. */
  refresh(uid: string, volumes: PodVolume[]): Promise<void>
  /** `previous`: of the run before the last restart. */
  logs(
    uid: string,
    container: string,
    options: { tailLines?: number; follow?: AbortSignal; previous?: boolean },
  ): AsyncIterable<Buffer>
  exec(uid: string, container: string, command: string[], options: { tty: boolean; stdin: boolean }): ExecProcess
  /** Full set of rules for the cluster: replaces what was in force on all its nodes. Drops, never rejects. */
  setPolicies(clusterId: string, pods: PodFirewall[]): Promise<void>
  /** Full set of Services: ClusterIP to ready endpoints, on all nodes of the cluster. */
  setServices(clusterId: string, services: ServiceRule[]): Promise<void>
  /** Names that the cluster's DNS answers, e.g. kubernetes.default.svc.cluster.local. */
  setNames(clusterId: string, names: Record<string, string>): Promise<void>
}

export type PodSpec = {
  uid: string
  name: string
  namespace: string
  node: string
  clusterId: string
  ip: string
  dns: { nameservers: string[]; searches: string[]; options: string[] }
  /** Its containers share them. */
  volumes?: PodVolume[]
  containers: {
    name: string
    command: string[]
    env: Record<string, string>
    workingDir?: string
    files: Record<string, string>
    mounts?: { volume: string; path: string }[]
    runAsUser?: number
    readOnly?: boolean
    noNewPrivileges?: boolean
    noCapabilities?: boolean
    /** It is started by `restart`, when the caller says. A sidecar ends after the others. */
    turn?: 'init' | 'sidecar' | 'after'
  }[] // files: path -> content, put there at its start; readOnly: its root is
}

/** `files`: what a ConfigMap, a Secret or a projection holds; absent: an empty directory that everybody may write to. */
export type PodVolume = { name: string; files?: Record<string, string>; mode?: number }

/** What one pod may do. An absent direction is not isolated; present means default deny plus the rules. */
export type PodFirewall = {
  podIp: string
  egress?: { cidr: string; except: string[]; ports: { protocol: 'TCP' | 'UDP'; port: number; endPort?: number }[] }[] // ports []: all
  ingress?: { cidr: string; except: string[]; ports: { protocol: 'TCP' | 'UDP'; port: number; endPort?: number }[] }[]
}

/** Where a cluster's API server answers behind its Service: outside of the ranges of pods and Services, as in a real one. */
export const apiEndpoint = { ip: '198.18.0.1', port: 6443 }

export type ServiceRule = {
  clusterIp: string
  protocol: 'TCP' | 'UDP'
  port: number
  endpoints: { ip: string; port: number }[]
}

export type ExecProcess = {
  stdin: NodeJS.WritableStream
  stdout: NodeJS.ReadableStream
  stderr: NodeJS.ReadableStream
  resize?(columns: number, rows: number): void
  kill(): void
  /** Exit code, or 128 + signal. */
  ended: Promise<number>
}
