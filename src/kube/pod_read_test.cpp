#include "kube/pod_read.h"

#include <gtest/gtest.h>

namespace orlop::kube {
namespace {

constexpr const char* kFull = R"(
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: site, labels: {app: web}, annotations: {a/b: c}}
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 5
  nodeSelector: {x: "y"}
  tolerations: [{operator: Exists}]
  securityContext: {runAsUser: 1000, fsGroup: 2000, supplementalGroups: [3], seccompProfile: {type: RuntimeDefault}}
  hostAliases: [{ip: 10.0.0.1, hostnames: [db, db.local]}]
  dnsPolicy: None
  dnsConfig: {nameservers: [1.1.1.1], options: [{name: ndots, value: "2"}]}
  initContainers:
  - {name: setup, image: "busybox:1.36", command: [sh, -c, "true"]}
  - {name: sidecar, image: "busybox:1.36", restartPolicy: Always}
  containers:
  - name: web
    image: registry.local:5000/busybox
    args: [httpd, -f]
    env:
    - {name: A, value: "1"}
    - {name: B, valueFrom: {fieldRef: {fieldPath: "metadata.labels['app']"}}}
    - {name: C, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}}
    ports: [{containerPort: 8080}]
    resources: {limits: {cpu: 500m, memory: 64Mi}}
    volumeMounts: [{name: data, mountPath: /data, readOnly: true}]
    securityContext: {capabilities: {add: [NET_ADMIN], drop: [ALL]}, allowPrivilegeEscalation: false}
  volumes:
  - {name: data, emptyDir: {medium: Memory, sizeLimit: 1Mi}}
  - {name: host, hostPath: {path: /etc, type: Directory}}
)";

TEST(PodRead, AFullPodIsReadAndDefaulted) {
    const auto pods = read_pods(kFull);
    ASSERT_TRUE(pods) << pods.error().what();
    ASSERT_EQ(pods->size(), 1u);
    EXPECT_TRUE((*pods)[0].refusals.empty()) << join((*pods)[0].refusals);
    EXPECT_TRUE((*pods)[0].warnings.empty()) << join((*pods)[0].warnings);
    const Pod& pod = (*pods)[0].pod;
    EXPECT_EQ(pod.full_name(), "site/web");
    EXPECT_EQ(pod.spec.grace(), 5);
    const Container& web = pod.spec.containers.at(0);
    EXPECT_EQ(web.pull_policy, PullPolicy::Always);
    EXPECT_EQ(pod.spec.init_containers.at(0).pull_policy, PullPolicy::IfNotPresent);
    EXPECT_TRUE(pod.spec.init_containers.at(1).restartable_init());
    EXPECT_EQ(web.ports.at(0).host_port, 8080);
    EXPECT_EQ(web.resources.requests.at("cpu").milli(), 500);
    EXPECT_EQ(web.message_path, "/dev/termination-log");
    EXPECT_EQ(web.hash.size(), 8u);
    EXPECT_EQ(pod.spec.volumes.at(0).empty_dir->medium, Medium::Memory);
    EXPECT_EQ(pod.spec.volumes.at(1).host_path->type, HostPathType::Directory);
}

TEST(PodRead, WhatIsPrintedIsReadAgainTheSame) {
    const auto first = read_pods(kFull);
    ASSERT_TRUE(first);
    const Json printed = pod_json((*first)[0].pod);
    const auto second = read_pod(printed);
    ASSERT_TRUE(second) << second.error().what();
    EXPECT_EQ(pod_json(second->pod), printed);
    EXPECT_EQ(printed["spec"]["nodeSelector"], Json({{"x", "y"}}));
}

TEST(PodRead, TheHashOfAContainerFollowsItsText) {
    std::string changed = kFull;
    changed.replace(changed.find("httpd, -f"), 9, "httpd, -v");
    const auto a = read_pods(kFull);
    const auto b = read_pods(changed);
    EXPECT_NE((*a)[0].pod.spec.containers[0].hash, (*b)[0].pod.spec.containers[0].hash);
    EXPECT_EQ((*a)[0].pod.spec.init_containers[0].hash, (*b)[0].pod.spec.init_containers[0].hash);
}

// A pod whose container has `extra`, and whose spec has `spec_extra`.
std::string pod_with(const std::string& extra, const std::string& spec_extra = "") {
    return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{)" + spec_extra +
           R"("containers":[{"name":"c","image":"i:1")" + extra + "}]}}";
}

struct Row {
    std::string text;
    std::string error;
};

TEST(PodRead, MistakesAreNamedByTheirPath) {
    const Row rows[] = {
        {R"({"kind":"Pod"})", "apiVersion: required; metadata: required; spec: required"},
        {R"({"apiVersion":"v1"})", "kind: required"},
        {R"({"apiVersion":"v1","kind":"ConfigMap"})", "kind: 'ConfigMap' is not supported here, only Pod"},
        {R"({"apiVersion":"v2","kind":"Pod"})", "apiVersion: must be v1 for a Pod, found \"v2\""},
        {R"([1])", "a manifest must be a mapping"},
        {R"({"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{"containers":[{}]}})",
         "metadata.name: required; spec.containers[0].name: required; spec.containers[0].image: required; "
         "metadata: required"},
        {R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[]}})",
         "spec.containers: required"},
        {R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"P_"},"spec":{"containers":3}})",
         "metadata.name: 'P_' is not a lower-case DNS name; spec.containers: must be a list, found a number"},
        {pod_with(R"(,"env":[{"name":"A","value":1}])"),
         "spec.containers[0].env[0].value: must be a string, found a number (quote it if it is text)"},
        {pod_with(R"(,"env":[{"name":"A","valueFrom":{"fieldRef":{"fieldPath":"status.phase"}}}])"),
         "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: 'status.phase' cannot be used in an "
         "environment variable"},
        {pod_with(R"(,"ports":[{"containerPort":70000}])"),
         "spec.containers[0].ports[0].containerPort: must be 1..65535"},
        {pod_with(R"(,"ports":[{"containerPort":99999999999}])"),
         "spec.containers[0].ports[0].containerPort: number too large; "
         "spec.containers[0].ports[0].containerPort: must be 1..65535"},
        {pod_with(R"(,"resources":{"limits":{"cpu":"1x"}})"),
         "spec.containers[0].resources.limits[cpu]: not a quantity such as 500m, 2 or 128Mi: '1x'"},
        {pod_with(R"(,"resources":{"limits":{"cpu":1},"requests":{"cpu":"2"}})"),
         "spec.containers[0].resources.requests[cpu]: must not exceed the limit 1"},
        {pod_with(R"(,"resources":{"requests":{"memory":"-1"}})"),
         "spec.containers[0].resources.requests[memory]: must not be negative"},
        {pod_with(R"(,"volumeMounts":[{"name":"v","mountPath":"/a/../b"}])"),
         "spec.containers[0].volumeMounts[0].mountPath: must not contain '..'; "
         "spec.containers[0].volumeMounts[0].name: no volume 'v' in spec.volumes"},
        {pod_with(R"(,"imagePullPolicy":"Sometimes")"),
         "spec.containers[0].imagePullPolicy: 'Sometimes' is none of \"\", Always, IfNotPresent, Never"},
        {pod_with(R"(,"tty":"yes")"), "spec.containers[0].tty: must be true or false, found a string"},
        {pod_with("", R"("restartPolicy":"Perhaps",)"),
         "spec.restartPolicy: 'Perhaps' is none of Always, OnFailure, Never"},
        {pod_with("", R"("terminationGracePeriodSeconds":-1,)"),
         "spec.terminationGracePeriodSeconds: must not be negative"},
        {pod_with("", R"("initContainers":[{"name":"c","image":"i"}],)"),
         "spec.containers[0].name: 'c' is used twice"},
        {pod_with("", R"("volumes":[{"name":"v","hostPath":{"path":"relative"}}],)"),
         "spec.volumes[0].hostPath.path: must be absolute"},
        {pod_with(
             "",
             R"("hostNetwork":true,"securityContext":{"sysctls":[{"name":"net.core.somaxconn","value":"1"}]},)"),
         "spec.securityContext.sysctls[0].name: cannot be set with hostNetwork"},
        {pod_with(R"(,"command":["a\u0000b"])"), "spec.containers[0].command[0]: contains a NUL byte"},
        {pod_with(R"(,"securityContext":{"privileged":true,"allowPrivilegeEscalation":false})"),
         "spec.containers[0].securityContext.allowPrivilegeEscalation: cannot be false with privileged"},
        {pod_with("", R"("nodeSelector":"x",)"), "spec.nodeSelector: must be a mapping, found a string"},
    };
    for (const Row& row : rows) {
        const auto pods = read_pods(row.text);
        ASSERT_FALSE(pods) << row.text;
        EXPECT_EQ(pods.error().what(), row.error) << row.text;
        EXPECT_EQ(pods.error().kind(), Kind::Invalid);
    }
}

TEST(PodRead, WhatIsNotBuiltIsRefusedByName) {
    const Row rows[] = {
        {pod_with(R"(,"livenessProbe":{"exec":{"command":["true"]}})"), "spec.containers[0].livenessProbe"},
        {pod_with(R"(,"lifecycle":{"preStop":{"sleep":{"seconds":1}}})"), "spec.containers[0].lifecycle"},
        {pod_with(R"(,"envFrom":[{"configMapRef":{"name":"x"}}])"), "spec.containers[0].envFrom"},
        {pod_with(R"(,"env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}])"),
         "spec.containers[0].env[0].valueFrom.secretKeyRef"},
        {pod_with(R"(,"resources":{"limits":{"nvidia.com/gpu":1}})"),
         "spec.containers[0].resources.limits[nvidia.com/gpu]"},
        {pod_with("", R"("volumes":[{"name":"v","configMap":{"name":"x"}}],)"), "spec.volumes[0].configMap"},
        {pod_with("", R"("hostUsers":false,)"), "spec.hostUsers"},
        {pod_with("", R"("activeDeadlineSeconds":3,)"), "spec.activeDeadlineSeconds"},
        {pod_with("", R"("serviceAccountName":"x",)"), "spec.serviceAccountName"},
    };
    for (const Row& row : rows) {
        const auto pods = read_pods(row.text);
        ASSERT_TRUE(pods) << pods.error().what();
        ASSERT_FALSE((*pods)[0].refusals.empty()) << row.text;
        EXPECT_EQ((*pods)[0].refusals[0].path, row.error);
        EXPECT_EQ((*pods)[0].refusals[0].message, "not supported yet");
    }
}

TEST(PodRead, AskingForNothingIsNotRefused) {
    const auto pods =
        read_pods(pod_with(R"(,"livenessProbe":null,"lifecycle":{},"envFrom":[])",
                           R"("hostUsers":true,"serviceAccountName":"","imagePullSecrets":[],)"));
    ASSERT_TRUE(pods) << pods.error().what();
    EXPECT_TRUE((*pods)[0].refusals.empty()) << join((*pods)[0].refusals);
}

TEST(PodRead, UnknownFieldsAreWarnedAbout) {
    const auto pods = read_pods(pod_with(R"(,"imagePullpolicy":"Never")"));
    ASSERT_TRUE(pods);
    ASSERT_EQ((*pods)[0].warnings.size(), 1u);
    EXPECT_EQ((*pods)[0].warnings[0].text(), "spec.containers[0].imagePullpolicy: unknown field, ignored");
}

TEST(PodRead, SeveralDocumentsNameTheBrokenOne) {
    const auto pods = read_pods(pod_with("") + "\n");
    EXPECT_TRUE(pods);
    const auto broken = read_pods(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: "
        "b}]}\n---\nkind: Job\n");
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().what(), "document 2: kind: 'Job' is not supported here, only Pod");
    EXPECT_EQ(read_pods("").error().what(), "no document in it");
}

}  // namespace
}  // namespace orlop::kube
