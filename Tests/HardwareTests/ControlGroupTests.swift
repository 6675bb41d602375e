import Hardware
import Testing

@Suite struct ControlGroupTests {
    private func groups(_ own: String, _ mounts: String, _ files: [String: String]) -> ControlGroups {
        ControlGroups(groups: own, mounts: mounts) { files[$0] }
    }

    private static let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let legacy = """
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
        41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
        """

    @Test func `version 2 counts the lowest limit on the way up`() {
        let found = groups(
            "0::/slurm/job_7/step_0\n", Self.unified,
            [
                "/sys/fs/cgroup/slurm/job_7/step_0/memory.max": "max\n",
                "/sys/fs/cgroup/slurm/job_7/step_0/cpu.max": "400000 100000\n",
                "/sys/fs/cgroup/slurm/job_7/memory.max": "8589934592\n",
                "/sys/fs/cgroup/slurm/job_7/memory.high": "4294967296\n",
                "/sys/fs/cgroup/slurm/job_7/cpu.max": "150000 100000\n", "/sys/fs/cgroup/slurm/cpu.max": "max 100000\n",
                "/sys/fs/cgroup/slurm/pids.max": "100\n", "/sys/fs/cgroup/slurm/pids.current": "64\n",
            ])
        #expect(found.memory == .init(value: 4_294_967_296, file: "/sys/fs/cgroup/slurm/job_7/memory.high"))
        #expect(found.cpu == .init(value: 1.5, file: "/sys/fs/cgroup/slurm/job_7/cpu.max"))
        #expect(found.threads == .init(value: 36, file: "/sys/fs/cgroup/slurm/pids.max"))
    }

    @Test func `version 1 has a place for each controller`() {
        let found = groups(
            "5:cpu,cpuacct:/s/inner\n4:memory:/m\n8:pids:/\n0::/\n", Self.legacy,
            [
                "/sys/fs/cgroup/cpu,cpuacct/s/inner/cpu.cfs_quota_us": "-1\n",
                "/sys/fs/cgroup/cpu,cpuacct/s/inner/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/cpu,cpuacct/s/cpu.cfs_quota_us": "50000\n",
                "/sys/fs/cgroup/cpu,cpuacct/s/cpu.cfs_period_us": "100000\n",
                "/sys/fs/cgroup/memory/m/memory.limit_in_bytes": "9223372036854771712\n",
                "/sys/fs/cgroup/memory/m/memory.stat": "cache 5\nhierarchical_memory_limit 1073741824\n",
            ])
        #expect(found.cpu == .init(value: 0.5, file: "/sys/fs/cgroup/cpu,cpuacct/s/cpu.cfs_quota_us"))
        #expect(found.memory == .init(value: 1_073_741_824, file: "/sys/fs/cgroup/memory/m/memory.stat"))
        #expect(found.threads == nil)
    }

    @Test func `a container sees its part of the tree`() {
        let mounts = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
        let files = ["/sys/fs/cgroup/cpu.max": "200000 100000", "/sys/fs/cgroup/x/cpu.max": "100000 100000"]
        #expect(groups("0::/docker/abc\n", mounts, files).cpu?.value == 2)
        #expect(groups("0::/docker/abc/x\n", mounts, files).cpu?.value == 1)
        // A namespace of its own tells the path from its root; outside of it lies "/../..".
        #expect(groups("0::/\n", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", files).cpu?.value == 2)
        #expect(groups("0::/../../other\n", Self.unified, files).cpu?.value == 2)
    }

    @Test func `nothing there is no limit`() {
        for (own, mounts) in [("", ""), ("0::/a\n", ""), ("nonsense", Self.unified), ("0::/a\n", "1 2 3\n - \n")] {
            let found = groups(own, mounts, ["/sys/fs/cgroup/a/cpu.max": "x y", "/sys/fs/cgroup/a/memory.max": "-5"])
            #expect(found.memory == nil && found.cpu == nil && found.threads == nil)
        }
    }

    @Test func `memory limits name where they come from`() {
        let small = groups("0::/a\n", Self.unified, ["/sys/fs/cgroup/a/memory.max": "1048576"])
        let limits = MemoryLimit.shared(small, machine: 1 << 30)
        #expect(limits.map(\.bytes) == [1 << 30, 1 << 20])
        #expect(limits[1].source == "/sys/fs/cgroup/a/memory.max")
        let large = groups("0::/a\n", Self.unified, ["/sys/fs/cgroup/a/memory.max": "2199023255552"])
        #expect(MemoryLimit.shared(large, machine: 1 << 30).count == 1)
    }

    @Test func `a quota's threads are shared by the ranks that have it`() {
        #expect(CPUQuota(cores: 0.5, file: "f").threads == 1)
        #expect(CPUQuota(cores: 2.1, file: "f").threads == 3)
        #expect(CPUQuota(cores: 1e300, file: "f").threads > 1000)
        func quota(_ cores: Double, _ group: UInt64?) -> CPUQuota { CPUQuota(cores: cores, file: "f", group: group) }
        #expect(CPUQuota.shares([quota(4, 7), quota(4, 7), nil, quota(4, 9)]) == [2, 2, nil, 4])
        #expect(CPUQuota.shares([quota(0.5, 7), quota(0.5, 7)]) == [1, 1])
        // Where the limit's file is gone nobody can say who shares it.
        #expect(CPUQuota.shares([quota(4, nil), quota(4, nil)]) == [4, 4])
    }
}
