//! kube-scheduler 1.36: one pod at a time, to the node that the original would choose.
