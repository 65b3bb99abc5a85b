"""The part of `entry_text.TEXT` that takes arguments apart, and looks whether they are what an entry is for."""

ARGUMENTS = """
; Where the nodes after this one begin; null where the object is not what the node says.
define internal ptr @take(ptr %node, ptr %object) {
entry:
  %kind = load i64, ptr %node
  %w1.at = getelementptr i64, ptr %node, i64 1
  %w2.at = getelementptr i64, ptr %node, i64 2
  %w3.at = getelementptr i64, ptr %node, i64 3
  %w4.at = getelementptr i64, ptr %node, i64 4
  %w1 = load ptr, ptr %w1.at
  %type.at = getelementptr i8, ptr %object, i64 8
  %type = load ptr, ptr %type.at
  %payload = getelementptr i8, ptr %object, i64 16
  switch i64 %kind, label %number [ i64 0, label %array
                                    i64 1, label %sequence
                                    i64 2, label %dictionary
                                    i64 3, label %constant ]
array:
  %is.array = icmp eq ptr %type, @array_type
  br i1 %is.array, label %fields, label %no
fields:
  %data = load ptr, ptr %payload
  %rank.at = getelementptr i8, ptr %object, i64 24
  %rank32 = load i32, ptr %rank.at
  %rank = sext i32 %rank32 to i64
  %dims.at = getelementptr i8, ptr %object, i64 32
  %dims = load ptr, ptr %dims.at
  %strides.at = getelementptr i8, ptr %object, i64 40
  %strides = load ptr, ptr %strides.at
  %descr.at = getelementptr i8, ptr %object, i64 56
  %descr = load ptr, ptr %descr.at
  %flags.at = getelementptr i8, ptr %object, i64 64
  %flags32 = load i32, ptr %flags.at
  %flags = zext i32 %flags32 to i64
  %want.descr = load ptr, ptr %w2.at
  %want.flags = load i64, ptr %w3.at
  %want.rank = load i64, ptr %w4.at
  %same.descr = icmp eq ptr %descr, %want.descr
  %same.rank = icmp eq i64 %rank, %want.rank
  %has.flags = and i64 %flags, %want.flags
  %same.flags = icmp eq i64 %has.flags, %want.flags
  %ok1 = and i1 %same.descr, %same.rank
  %ok2 = and i1 %ok1, %same.flags
  %sizes = getelementptr i64, ptr %node, i64 7
  %steps = getelementptr i64, ptr %sizes, i64 %rank
  br i1 %ok2, label %axis, label %no
axis:
  %a = phi i64 [ 0, %fields ], [ %a.next, %axis.same ]
  %axes = icmp slt i64 %a, %rank
  br i1 %axes, label %compare, label %keep
compare:
  %n.at = getelementptr i64, ptr %dims, i64 %a
  %n = load i64, ptr %n.at
  %s.at = getelementptr i64, ptr %strides, i64 %a
  %s = load i64, ptr %s.at
  %want.n.at = getelementptr i64, ptr %sizes, i64 %a
  %want.n = load i64, ptr %want.n.at
  %want.s.at = getelementptr i64, ptr %steps, i64 %a
  %want.s = load i64, ptr %want.s.at
  %same.n = icmp eq i64 %n, %want.n
  %same.s = icmp eq i64 %s, %want.s
  %ok3 = and i1 %same.n, %same.s
  br i1 %ok3, label %axis.same, label %no
axis.same:
  %a.next = add i64 %a, 1
  br label %axis
keep:
  %low.at = getelementptr i64, ptr %node, i64 5
  %low = load i64, ptr %low.at
  %high.at = getelementptr i64, ptr %node, i64 6
  %high = load i64, ptr %high.at
  %begin = getelementptr i8, ptr %data, i64 %low
  %end = getelementptr i8, ptr %data, i64 %high
  %leaf.begin = getelementptr %Leaf, ptr %w1, i32 0, i32 1
  %leaf.end = getelementptr %Leaf, ptr %w1, i32 0, i32 2
  %leaf.object = getelementptr %Leaf, ptr %w1, i32 0, i32 3
  store ptr %data, ptr %w1
  store ptr %begin, ptr %leaf.begin
  store ptr %end, ptr %leaf.end
  store ptr %object, ptr %leaf.object
  %array.end = getelementptr i64, ptr %steps, i64 %rank
  ret ptr %array.end

sequence:
  %type.b = load ptr, ptr %w2.at
  %is.a = icmp eq ptr %type, %w1
  %is.b = icmp eq ptr %type, %type.b
  %is.sequence = or i1 %is.a, %is.b
  br i1 %is.sequence, label %length, label %no
length:
  %length.found = load i64, ptr %payload
  %length.want = load i64, ptr %w3.at
  %is.length = icmp eq i64 %length.found, %length.want
  br i1 %is.length, label %items, label %no
items:
  %type.flags.at = getelementptr i8, ptr %type, i64 168
  %type.flags = load i64, ptr %type.flags.at
  %list.flag = and i64 %type.flags, 33554432  ; Py_TPFLAGS_LIST_SUBCLASS
  %is.list = icmp ne i64 %list.flag, 0
  %children = getelementptr i64, ptr %node, i64 4
  br i1 %is.list, label %list, label %tuple
list:
  %list.items.at = getelementptr i8, ptr %object, i64 24
  %list.items = load ptr, ptr %list.items.at
  br label %element
tuple:
  %tuple.items = getelementptr i8, ptr %object, i64 TUPLE_ITEMS
  br label %element
element:
  %i = phi i64 [ 0, %list ], [ 0, %tuple ], [ %i.next, %element.taken ]
  %child = phi ptr [ %children, %list ], [ %children, %tuple ], [ %child.next, %element.taken ]
  %elements = phi ptr [ %list.items, %list ], [ %tuple.items, %tuple ], [ %elements, %element.taken ]
  %elements.left = icmp slt i64 %i, %length.want
  br i1 %elements.left, label %element.take, label %sequence.done
element.take:
  %element.at = getelementptr ptr, ptr %elements, i64 %i
  %element.object = load ptr, ptr %element.at
  %child.next = call ptr @take(ptr %child, ptr %element.object)
  %child.wrong = icmp eq ptr %child.next, null
  br i1 %child.wrong, label %no, label %element.taken
element.taken:
  %i.next = add i64 %i, 1
  br label %element
sequence.done:
  ret ptr %child

dictionary:
  %position = alloca i64
  %key = alloca ptr
  %value = alloca ptr
  %is.dict = icmp eq ptr %type, @dict_type
  br i1 %is.dict, label %entries, label %no
entries:
  store i64 0, ptr %position
  %entries.found = call i64 @PyDict_Size(ptr %object)
  %entries.want = ptrtoint ptr %w1 to i64
  %same.entries = icmp eq i64 %entries.found, %entries.want
  br i1 %same.entries, label %pair, label %no
pair:
  %p = phi i64 [ 0, %entries ], [ %p.next, %pair.taken ]
  %pair.node = phi ptr [ %w2.at, %entries ], [ %pair.next, %pair.taken ]
  %pairs.left = icmp slt i64 %p, %entries.want
  br i1 %pairs.left, label %pair.read, label %dictionary.done
pair.read:
  %there = call i32 @PyDict_Next(ptr %object, ptr %position, ptr %key, ptr %value)
  %key.found = load ptr, ptr %key
  %key.want = load ptr, ptr %pair.node
  %same.key = icmp eq ptr %key.found, %key.want
  br i1 %same.key, label %pair.take, label %no
pair.take:
  %pair.child = getelementptr i64, ptr %pair.node, i64 1
  %pair.object = load ptr, ptr %value
  %pair.next = call ptr @take(ptr %pair.child, ptr %pair.object)
  %pair.wrong = icmp eq ptr %pair.next, null
  br i1 %pair.wrong, label %no, label %pair.taken
pair.taken:
  %p.next = add i64 %p, 1
  br label %pair
dictionary.done:
  ret ptr %pair.node

constant:
  %same.object = icmp eq ptr %object, %w1
  br i1 %same.object, label %constant.done, label %no
constant.done:
  ret ptr %w2.at

number:
  %cell = load ptr, ptr %w2.at
  %same.type = icmp eq ptr %type, %w1
  br i1 %same.type, label %store, label %no
store:
  switch i64 %kind, label %scalar [ i64 4, label %double
                                    i64 5, label %float
                                    i64 6, label %integer
                                    i64 7, label %integer
                                    i64 8, label %boolean ]
double:
  %double.value = load double, ptr %payload
  store double %double.value, ptr %cell
  br label %number.done
float:
  %wide.value = load double, ptr %payload
  %float.value = fptrunc double %wide.value to float
  store float %float.value, ptr %cell
  br label %number.done
integer:
  %overflow = alloca i32
  %integer.value = call i64 @PyLong_AsLongLongAndOverflow(ptr %object, ptr %overflow)
  %too.large = load i32, ptr %overflow
  %fits = icmp eq i32 %too.large, 0
  br i1 %fits, label %integer.kind, label %no
integer.kind:
  %is.integer = icmp eq i64 %kind, 6
  br i1 %is.integer, label %integer.store, label %integer.convert
integer.store:
  store i64 %integer.value, ptr %cell
  br label %number.done
integer.convert:
  %converted = sitofp i64 %integer.value to double
  store double %converted, ptr %cell
  br label %number.done
boolean:
  %is.true = icmp eq ptr %object, @true_object
  %boolean.value = zext i1 %is.true to i8
  store i8 %boolean.value, ptr %cell
  br label %number.done
scalar:
  %bytes = load i64, ptr %w3.at
  call void @llvm.memcpy.p0.p0.i64(ptr %cell, ptr %payload, i64 %bytes, i1 false)
  br label %number.done
number.done:
  ret ptr %w4.at
no:
  ret ptr null
}

; Whether a leaf's memory lies apart from that of all others among the first `count`.
define internal i1 @is_alone(ptr %leaves, i64 %number, i64 %count) alwaysinline {
entry:
  %begin.at = getelementptr %Leaf, ptr %leaves, i64 %number, i32 1
  %begin = load ptr, ptr %begin.at
  %end.at = getelementptr %Leaf, ptr %leaves, i64 %number, i32 2
  %end = load ptr, ptr %end.at
  br label %other
other:
  %j = phi i64 [ 0, %entry ], [ %j.next, %good ]
  %left = icmp slt i64 %j, %count
  br i1 %left, label %test, label %yes
test:
  %other.begin.at = getelementptr %Leaf, ptr %leaves, i64 %j, i32 1
  %other.begin = load ptr, ptr %other.begin.at
  %other.end.at = getelementptr %Leaf, ptr %leaves, i64 %j, i32 2
  %other.end = load ptr, ptr %other.end.at
  %before = icmp ule ptr %end, %other.begin
  %behind = icmp uge ptr %begin, %other.end
  %apart = or i1 %before, %behind
  %itself = icmp eq i64 %j, %number
  %ok = or i1 %apart, %itself
  br i1 %ok, label %good, label %no
good:
  %j.next = add i64 %j, 1
  br label %other
yes:
  ret i1 true
no:
  ret i1 false
}
"""
