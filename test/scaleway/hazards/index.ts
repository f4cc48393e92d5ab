/** A test that shows one hazard: in `file` (from test/), under its title; `row`: the row of a table of tests. */
export type Shown = { hazard: string; file: string; title: string; row?: string }

const here =
  (file: string) =>
  (...titles: string[]): Shown[] =>
    titles.map(title => ({ hazard: title, file: `scaleway/hazards/${file}.test.ts`, title }))

const there = (hazard: string, file: string, title: string, row?: string): Shown => ({
  hazard,
  file,
  title,
  ...(row !== undefined && { row }),
})

/** What bites in Scaleway's APIs, by API, and where it is shown that it does not bite us. */
export const hazards: Record<string, Shown[]> = {
  'The SDK': [
    there('it has no deadline', 'scaleway/http.test.ts', 'has a deadline for every call'),
    there('it asks nothing again', 'scaleway/http.test.ts', 'repeats ${when}', 'a GET after a dead connection'),
    there(
      'it has no rate limit',
      'scaleway/http.test.ts',
      'a pace lets no more than so many calls begin in any one second',
    ),
    there(
      'it asks for all further pages at once',
      'scaleway/http.test.ts',
      'never more calls under way than the pace allows',
    ),
    there('a dead connection is a TypeError, as a bug may be', 'scaleway/problems.test.ts', 'a bug is no Problem'),
    there(
      'it prints a malformed secret',
      'scaleway/profile.test.ts',
      'refuses ${when}, without its secret',
      'a malformed secret',
    ),
    there(
      'an error may quote the key it was sent',
      'scaleway/problems.test.ts',
      'an error ${status} that quotes ${when} is told without it, to its last cause',
      'the key',
    ),
    there('its waiters resolve on failed', 'scaleway/poll.test.ts', 'waits for what is ${when}', 'failed for good'),
    there(
      'its waiter takes a leg without a MAC address for ready',
      'scaleway/poll.test.ts',
      'waits for what is ${when}',
      'a leg without a MAC address',
    ),
    there(
      'its waiters take a word they do not know for the end',
      'scaleway/poll.test.ts',
      'waits for what is ${when}',
      'in a state that nobody knows',
    ),
    there(
      'its waiters give up before a pool is ready',
      'scaleway/deadlines.test.ts',
      'a pool has more than the eleven minutes one was seen to take',
    ),
    there('a comma makes two tags of one', 'scaleway/poll.test.ts', 'a name that would break a tag is refused'),
    ...here('sdk')(
      'JSON with a charset is read as JSON',
      'a list without a total is read to its end',
      'a list is longer than a page, and ours is on the last one',
      'whatever is made is given a name, or the API invents one',
      'labels and taints of a pool reach it, though the SDK drops them',
    ),
  ],
  'VPC and private networks': [
    ...here('vpc')(
      'names match by substring and tags by any of them: neighbours are not ours',
      'a network is made in our VPC, or it lands in the default one',
      'the IPv6 range that is always added is no drift',
      'the same range may stand in the VPC of somebody else, and is left alone',
      'a network that is not empty yet is asked again until it goes',
      'a network that stays full is a Problem that says what is in it',
    ),
    there('some ranges are excluded', 'inventory/load.test.ts', 'a mistake is found: ${when}', 'an excluded range'),
    there(
      'a subnet is fixed for life',
      'scaleway/replacement.test.ts',
      'a network killed between its removal and its return is there once after the next run',
    ),
  ],
  IPAM: [
    ...here('ipam')(
      'an address comes back with the mask of its network',
      'an address has no name: its tags say whose it is',
      'an address that somebody has is a Problem that says who',
      'addresses are booked before anything joins the network and takes the lowest free one',
      'a booked address outlives its server, and is attached until that is gone',
      'a reservation that nobody tagged keeps a network alive: it is told of, and not touched',
      'an address is booked in a network by its id, and answered with its subnet',
    ),
    there(
      'the first two and the last two addresses cannot be used',
      'inventory/load.test.ts',
      'a mistake is found: ${when}',
      'a reserved address',
    ),
  ],
  'Public Gateway': [
    ...here('gateway')(
      'a gateway is given its IP and gives it back, or it makes one that leaks',
      'a gateway that Scaleway locks while it goes is a Problem, and not waited for until the deadline',
      'a PATCH of a gateway answers a stale running',
      'an upgrade passes through failed',
      'a gateway that stays failed is a Problem',
      'a gateway that never ends configuring is a Problem at its deadline',
      'a busy gateway refuses right after a look said running',
      'created is not ready: a leg has no MAC address yet',
      'enable_masquerade comes back as masquerade_enabled',
      'a leg has neither name nor tags: the pair it joins is its identity',
      'keys reach a bastion only when it is told to refresh them',
      'a new bastion begins with the keys of the project, and is not told to refresh them',
      'a gateway that still has a leg is asked again until that is gone',
      'an address of one host comes back with its mask, and is no drift',
    ),
    there(
      'a gateway cannot become smaller',
      'scaleway/replacement.test.ts',
      'replaces ${what}',
      'a gateway that becomes smaller, and its leg with it',
    ),
  ],
  'Instances, images and volumes': [
    ...here('instance')(
      'a server gets no address that changes with every start',
      'a server is made stopped, gets NIC and user data, and only then power',
      'the root volume is born without tags, and is tracked before anything else is done',
      'a task is never asked about, and a volume only in Block',
      'terminate leaves the root volume, which stays in use for a while',
      'a server that stands in place is powered off before it goes',
      'a server that stands still is started again, and nothing about it is lost',
      'a server that is protected at the console stays, and is a Problem',
      'no user data is a 404 with an empty body',
      'a NIC on a running server is syncing first',
      'nothing refuses a second NIC: one is looked for before it is made',
      'a power-on whose answer was lost is not given twice',
      'a terminate whose answer was lost is refused the second time, and the server goes',
      'an image has a new id with every release, and that is no drift',
      'images for arm64 and x86_64 come together: one that the type runs is taken',
      'six rules against mail stand beside ours and are no drift',
      'a security group in use cannot go, which comes as 400',
      'the security group that Kapsule makes in the project is not ours',
    ),
    ...[
      'a mask of one host is stripped',
      'the mask of one IPv6 host is stripped',
      'the last port is left out where it is the first',
      'ICMP has no ports',
    ].map(row =>
      there(
        `rules come back written otherwise: ${row}`,
        'scaleway/hazards/instance.test.ts',
        'rules come back written otherwise: ${when}',
        row,
      ),
    ),
    there(
      'user data is read at the first boot only',
      'scaleway/kinds.test.ts',
      'replaces a server whose user data changed, and keeps its addresses',
    ),
    there(
      'a server that was never tagged is found again',
      'scaleway/identity.test.ts',
      'server: one that was made and never tagged is found by what it holds of ours, and tagged',
    ),
  ],
  Kapsule: [
    ...here('kubernetes')(
      'a cluster without a pool ends at pool_required, and that is a good end',
      'with its last pool gone a cluster asks for one again, and that is no drift',
      'a version is made of three numbers: a minor is resolved to its newest patch',
      'a cluster is made in its private network, which is mandatory',
      'an empty type comes back as kapsule',
      'with_additional_resources would take the private network',
      'clusters cannot be listed by tags: one of another context is not ours',
      'the name of a cluster is unique in a project: one that others have is a Problem',
      'node_type comes back lower case',
      'taints come back sorted',
      'the answer to a change of a pool is old, and so may be the next look',
      'a pool in warning may heal',
      'a pool that stays in warning is a Problem',
      'a pool that Scaleway locks while it goes is a Problem, and not waited for until the deadline',
      'a cluster that Scaleway locks while it goes is a Problem, and not waited for until the deadline',
      'nodes are servers of the project, and never ours',
      'an address of a node is known by its name in IPAM alone',
      'nodes without public addresses come up only behind a gateway that is ready',
      'a kubeconfig is there as soon as the cluster wants a pool',
      'what Kapsule makes beside a cluster is no drift',
    ),
    there(
      'an autoscaler changes the size of a pool',
      'scaleway/diffs.test.ts',
      'pool: under an autoscaler neither size nor scaling is drift',
    ),
    there('some types cannot be nodes', 'scaleway/preflight.test.ts', 'for a node only what can be one is proposed'),
    there('nodes keep their type', 'scaleway/replacement.test.ts', 'replaces ${what}', 'a pool of other nodes'),
    there(
      'the API server is open to everybody at first',
      'scaleway/access.test.ts',
      'the API server is closed before there is any pool, and to everybody but those named and the nodes',
    ),
    there('a kubeconfig is a secret', 'scaleway/kinds.test.ts', 'writes the kubeconfig for its owner only'),
    there(
      'its ranges must keep clear of the private network',
      'inventory/load.test.ts',
      'a mistake is found: ${when}',
      'an overlap with pods',
    ),
  ],
  'IAM and projects': [
    ...here('iam')(
      'the comment of a key may be dropped',
      'a key has no tags: its name says whose it is',
      'a new policy is refused for a while, here and there, and a deploy waits for it',
      'a policy that never comes is a Problem that names the permission set',
    ),
    there(
      'a project that is not there says so only when it is asked for',
      'scaleway/preflight.test.ts',
      'a project that is not there is found, whatever else is right',
    ),
    there('a wrong key is refused', 'scaleway/http.test.ts', '${when} is never asked again', 'a 401'),
  ],
  Errors: [
    ...here('errors')(
      'an answer to a POST, PATCH, PUT or DELETE that was lost makes no twin and leaves nothing',
      'a DELETE of what is gone is done',
      'a 403 is not taken for gone',
      'a 503 may be a refusal for good: it ends, with its words',
      'what is out of stock is not asked for again, and is told with its type and zone',
      'an API that stumbles over looks does not end a wait',
    ),
    there(
      'a 429 is empty and says nothing of when to come back',
      'scaleway/problems.test.ts',
      'makes a Problem of ${when}',
      'the rate limit, which says nothing at all',
    ),
    there(
      'a 403 may be a quota, in two ways to say it',
      'scaleway/problems.test.ts',
      'makes a Problem of ${when}',
      'a quota in the older words of the instance API',
    ),
    there(
      'a precondition may come as 400',
      'scaleway/problems.test.ts',
      'makes a Problem of ${when}',
      'a precondition that comes as 400',
    ),
    there(
      'a POST that died in flight may have taken effect',
      'scaleway/http.test.ts',
      'never repeats a POST that may have taken effect',
    ),
    there(
      'nothing answers at all',
      'scaleway/http.test.ts',
      'when nothing answers any more, thirty reads give up together with one Problem',
    ),
  ],
  'Identity and order': [
    ...here('identity')(
      'names are not unique, so twins can be: they are a Problem that names both',
      'a list may lag behind a create: a POST in doubt is looked for before it is repeated',
      'a POST that had no effect is made again, once',
      'looks that show how it was make no twins',
      'a list from before a write is not believed after it',
      'what is attached already is not attached again: a second apply writes nothing',
    ),
    ...here('orders')(
      'gateway, server and cluster do not wait for each other',
      'things go in the documented order, each when what lives in it is gone',
    ),
    there(
      'what must be there first is there first',
      'scaleway/hazards/orders.test.ts',
      "a ${kind} comes after ${first.join(', ')}",
    ),
    there(
      'a run may be killed after any write',
      'scaleway/crash.test.ts',
      'a deploy and a destroy killed after any write end as if never killed',
    ),
  ],
  Limits: here('limits')(
    'a quota that is used up is told with its number, and not tried again',
    'a deploy that met a quota goes on from there once there is room',
    'the rate limit slows a deploy down and fails nothing',
  ),
}

/** What bites those who use it, and we do not. */
export const besides: Record<string, string> = {
  'the SDK has no type for private-network-interfaces, and they refuse deletion while attached':
    'NICs are asked for in v1, which is what the SDK knows',
  'MAC addresses are upper case in IPAM and lower case in the instance API': 'nothing is compared by its MAC address',
  'IPAM attaches, detaches and moves custom resources only': 'an address is given to a NIC when that is made',
  'running says nothing of cloud-init or SSH': 'the host is asked by the stage that configures it',
  'tags of a pool turn into labels and taints, and some stay on nodes': 'pools have labels and taints of their own',
  'methods typed to return a resource crash on 204': 'each of them was recorded answering 200',
}
