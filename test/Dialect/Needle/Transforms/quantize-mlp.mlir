// A whole MLP: observed behind each activation function, then integers from the
// first quantize to the float result of the last layer.
// RUN: needle-opt %s --needle-observe-pipeline | FileCheck %s --check-prefix=OBSERVE
// RUN: needle-opt %s --needle-observe-pipeline --needle-expose-observed | FileCheck %s --check-prefix=EXPOSE
// RUN: needle-opt %s --needle-observe-pipeline \
// RUN:   | sed -e 's/{id = \([0-9]\) : i64}/{id = \1 : i64, min = 0.0 : f64, max = 127.5 : f64}/' \
// RUN:   | needle-opt --needle-quantize-pipeline | FileCheck %s --check-prefix=STATIC "--implicit-check-not== needle."
// RUN: needle-opt %s --needle-observe-pipeline \
// RUN:   | needle-opt --needle-quantize-pipeline=mode=dynamic | FileCheck %s --check-prefix=DYNAMIC "--implicit-check-not== needle."
// RUN: needle-opt %s --needle-observe-pipeline=exclude=fc2 \
// RUN:   | sed -e 's/{id = \([0-9]\) : i64}/{id = \1 : i64, min = 0.0 : f64, max = 127.5 : f64}/' \
// RUN:   | needle-opt --needle-quantize-pipeline=exclude=fc2 | FileCheck %s --check-prefix=EXCLUDE "--implicit-check-not== needle."

// OBSERVE:     %[[O0:.*]] = needle.observe %arg0 {id = 0 : i64}
// OBSERVE:     needle.matmul %[[O0]], %{{[^ ]*}} {needle.op_name = "fc1"}
// OBSERVE:     %[[R1:.*]] = needle.relu
// OBSERVE:     %[[O1:.*]] = needle.observe %[[R1]] {id = 1 : i64}
// OBSERVE:     needle.matmul %[[O1]]
// OBSERVE:     %[[R2:.*]] = needle.relu
// OBSERVE:     %[[O2:.*]] = needle.observe %[[R2]] {id = 2 : i64}
// OBSERVE:     needle.matmul %[[O2]]
// OBSERVE-NOT: needle.observe

// EXPOSE:      func @main({{.*}}) -> (tensor<?x1xf32> {needle.name = "y"}, tensor<?x2xf32> {needle.observed = 0 : i64}, tensor<?x3xf32> {needle.observed = 1 : i64}, tensor<?x2xf32> {needle.observed = 2 : i64})

// STATIC:      func @main(
// STATIC-DAG:  %[[W1:.*]] = needle.constant {{.*}} -> tensor<2x3x!quant.uniform<i8<-127:127>:f32:1, {{.*}}>>
// STATIC-DAG:  %[[W2:.*]] = needle.constant {{.*}} -> tensor<3x2x!quant.uniform<i8<-127:127>:f32:1, {{.*}}>>
// STATIC-DAG:  %[[W3:.*]] = needle.constant {{.*}} -> tensor<2x1x!quant.uniform<i8<-127:127>:f32:1, {{.*}}>>
// STATIC-DAG:  %[[B1:.*]] = needle.constant {{.*}} -> tensor<3xf32>
// STATIC-DAG:  %[[B2:.*]] = needle.constant {{.*}} -> tensor<2xf32>
// STATIC-DAG:  %[[B3:.*]] = needle.constant {{.*}} -> tensor<1xf32>
// STATIC:      %[[Q:.*]] = needle.quantize %arg0 : tensor<?x2xf32> -> tensor<?x2x!quant.uniform<u8:f32, 5.000000e-01>>
// STATIC-NEXT: %[[Y1:.*]] = needle.qmatmul %[[Q]], %[[W1]] bias(%[[B1]] : tensor<3xf32>) {activation = #needle.activation<relu>, needle.op_name = "fc1"} : {{.*}} -> tensor<?x3x!quant.uniform<u8:f32, 5.000000e-01>>
// STATIC-NEXT: %[[Y2:.*]] = needle.qmatmul %[[Y1]], %[[W2]] bias(%[[B2]] : tensor<2xf32>) {activation = #needle.activation<relu>, needle.op_name = "fc2"} : {{.*}} -> tensor<?x2x!quant.uniform<u8:f32, 5.000000e-01>>
// STATIC-NEXT: %[[Y3:.*]] = needle.qmatmul %[[Y2]], %[[W3]] bias(%[[B3]] : tensor<1xf32>) {needle.op_name = "fc3"} : {{.*}} -> tensor<?x1xf32>
// STATIC-NEXT: return %[[Y3]]

// DYNAMIC:         func @main(
// DYNAMIC-COUNT-6: needle.constant
// DYNAMIC:         %[[Q1:.*]], %[[S1:.*]], %[[Z1:.*]] = needle.quantize_dynamic %arg0
// DYNAMIC-NEXT:    %[[Y1:.*]] = needle.qmatmul %[[Q1]], %{{.*}} lhs_params(%[[S1]], %[[Z1]] : tensor<f32>, tensor<i32>) bias({{.*}}) {activation = #needle.activation<relu>, needle.op_name = "fc1"} : {{.*}} -> tensor<?x3xf32>
// DYNAMIC-NEXT:    %[[Q2:.*]], %[[S2:.*]], %[[Z2:.*]] = needle.quantize_dynamic %[[Y1]]
// DYNAMIC-NEXT:    %[[Y2:.*]] = needle.qmatmul %[[Q2]], %{{.*}} lhs_params(%[[S2]], %[[Z2]] : tensor<f32>, tensor<i32>) bias({{.*}}) {activation = #needle.activation<relu>, needle.op_name = "fc2"} : {{.*}} -> tensor<?x2xf32>
// DYNAMIC-NEXT:    %[[Q3:.*]], %[[S3:.*]], %[[Z3:.*]] = needle.quantize_dynamic %[[Y2]]
// DYNAMIC-NEXT:    %[[Y3:.*]] = needle.qmatmul %[[Q3]], %{{.*}} lhs_params(%[[S3]], %[[Z3]] : tensor<f32>, tensor<i32>) bias({{.*}}) {needle.op_name = "fc3"} : {{.*}} -> tensor<?x1xf32>
// DYNAMIC-NEXT:    return %[[Y3]]

// EXCLUDE:         func @main(
// EXCLUDE-COUNT-6: needle.constant
// EXCLUDE:         %[[Q:.*]] = needle.quantize %arg0
// EXCLUDE-NEXT:    %[[Y1:.*]] = needle.qmatmul %[[Q]], {{.*}}"fc1"} : {{.*}} -> tensor<?x3xf32>
// EXCLUDE-NEXT:    %[[Y2:.*]] = needle.matmul %[[Y1]], {{.*}} bias({{.*}}) {activation = #needle.activation<relu>, needle.not_quantized = "excluded by 'fc2'", needle.op_name = "fc2"}
// EXCLUDE-NEXT:    %[[R:.*]] = needle.quantize %[[Y2]]
// EXCLUDE-NEXT:    %[[Y3:.*]] = needle.qmatmul %[[R]], {{.*}} -> tensor<?x1xf32>
// EXCLUDE-NEXT:    return %[[Y3]]
func.func @main(%x: tensor<?x2xf32> {needle.name = "x"}) -> (tensor<?x1xf32> {needle.name = "y"}) {
  // As linear layers of other frameworks export it; canonicalization folds it.
  %w1t = needle.constant dense<[[1.0, 2.0], [-3.0, 4.0], [5.0, -6.0]]> : tensor<3x2xf32> -> tensor<3x2xf32>
  %w1 = needle.transpose %w1t {permutation = array<i64: 1, 0>} : tensor<3x2xf32> -> tensor<2x3xf32>
  %b1 = needle.constant dense<[0.1, 0.2, 0.3]> : tensor<3xf32> -> tensor<3xf32>
  %m1 = needle.matmul %x, %w1 {needle.op_name = "fc1"} : tensor<?x2xf32>, tensor<2x3xf32> -> tensor<?x3xf32>
  %a1 = needle.add %m1, %b1 : tensor<?x3xf32>, tensor<3xf32> -> tensor<?x3xf32>
  %r1 = needle.relu %a1 : tensor<?x3xf32> -> tensor<?x3xf32>
  %w2 = needle.constant dense<[[1.0, -2.0], [3.0, 4.0], [-5.0, 6.0]]> : tensor<3x2xf32> -> tensor<3x2xf32>
  %b2 = needle.constant dense<[[0.4, 0.5]]> : tensor<1x2xf32> -> tensor<1x2xf32>
  %m2 = needle.matmul %r1, %w2 {needle.op_name = "fc2"} : tensor<?x3xf32>, tensor<3x2xf32> -> tensor<?x2xf32>
  %a2 = needle.add %b2, %m2 : tensor<1x2xf32>, tensor<?x2xf32> -> tensor<?x2xf32>
  %r2 = needle.relu %a2 : tensor<?x2xf32> -> tensor<?x2xf32>
  %w3 = needle.constant dense<[[1.0], [-2.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %b3 = needle.constant dense<0.6> : tensor<1xf32> -> tensor<1xf32>
  %m3 = needle.matmul %r2, %w3 {needle.op_name = "fc3"} : tensor<?x2xf32>, tensor<2x1xf32> -> tensor<?x1xf32>
  %y = needle.add %m3, %b3 : tensor<?x1xf32>, tensor<1xf32> -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}
