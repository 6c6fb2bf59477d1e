// Command etcd is the etcd server: the module go.etcd.io/etcd/server/v3 ships it as a package without a main of its own.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
