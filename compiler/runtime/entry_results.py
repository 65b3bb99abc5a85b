"""The part of `entry_text.TEXT` that makes results, runs a program's steps, and packs what the call gives."""

RESULTS = """
; Objects for the results: 0: a new array; 1: none yet, its number comes from a cell; 2: a donated array; 3: a view of
; one; 4: what a Python function gives. False with an exception where there is no memory.
define internal i1 @make_results(ptr %results, ptr %leaves, i64 %inputs, i64 %count) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %kept ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %result, label %yes
result:
  %number = add i64 %inputs, %k
  %leaf = getelementptr %Leaf, ptr %leaves, i64 %number
  %object.at = getelementptr %Leaf, ptr %leaf, i32 0, i32 3
  %kind.at = getelementptr %Result, ptr %results, i64 %k
  %descr.at = getelementptr %Result, ptr %results, i64 %k, i32 1
  %rank.at = getelementptr %Result, ptr %results, i64 %k, i32 2
  %dims.at = getelementptr %Result, ptr %results, i64 %k, i32 3
  %strides.at = getelementptr %Result, ptr %results, i64 %k, i32 4
  %memory.at = getelementptr %Result, ptr %results, i64 %k, i32 5
  %kind = load i64, ptr %kind.at
  %descr = load ptr, ptr %descr.at
  %rank = load i32, ptr %rank.at
  %dims = load ptr, ptr %dims.at
  %strides = load ptr, ptr %strides.at
  %memory = load ptr, ptr %memory.at
  switch i64 %kind, label %new [ i64 1, label %cell
                                 i64 2, label %same
                                 i64 3, label %view
                                 i64 4, label %ask ]
ask:
  %asked = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %memory, ptr null)
  %no.asked = icmp eq ptr %asked, null
  br i1 %no.asked, label %no, label %made
new:
  call void @Py_IncRef(ptr %descr)
  %array = call ptr @PyArray_NewFromDescr(ptr @array_type, ptr %descr, i32 %rank, ptr %dims, ptr %strides, ptr null,
                                          i32 0, ptr null)
  %no.array = icmp eq ptr %array, null
  br i1 %no.array, label %no, label %made
made:
  %owned = phi ptr [ %asked, %ask ], [ %array, %new ]
  %data.at = getelementptr i8, ptr %owned, i64 16
  %data = load ptr, ptr %data.at
  br label %keep
cell:
  br label %keep
same:
  %donor.at = getelementptr %Leaf, ptr %memory, i32 0, i32 3
  %donor = load ptr, ptr %donor.at
  %donor.data = load ptr, ptr %memory
  call void @Py_IncRef(ptr %donor)
  br label %keep
view:
  %base.at = getelementptr %Leaf, ptr %memory, i32 0, i32 3
  %base = load ptr, ptr %base.at
  %base.data = load ptr, ptr %memory
  call void @Py_IncRef(ptr %descr)
  %seen = call ptr @PyArray_NewFromDescr(ptr @array_type, ptr %descr, i32 %rank, ptr %dims, ptr %strides,
                                         ptr %base.data, i32 1024, ptr null)
  %no.view = icmp eq ptr %seen, null
  br i1 %no.view, label %no, label %based
based:
  call void @Py_IncRef(ptr %base)
  %status = call i32 @PyArray_SetBaseObject(ptr %seen, ptr %base)
  br label %keep
keep:
  %object = phi ptr [ %owned, %made ], [ null, %cell ], [ %donor, %same ], [ %seen, %based ]
  %address = phi ptr [ %data, %made ], [ %memory, %cell ], [ %donor.data, %same ], [ %base.data, %based ]
  store ptr %object, ptr %object.at
  store ptr %address, ptr %leaf
  br label %kept
kept:
  %k.next = add i64 %k, 1
  br label %next
yes:
  ret i1 true
no:
  call void @drop_results(ptr %leaves, i64 %inputs, i64 %k)
  br label %clear
clear:
  %c = phi i64 [ 0, %no ], [ %c.next, %clear.one ]
  %c.left = icmp slt i64 %c, %count
  br i1 %c.left, label %clear.one, label %cleared
clear.one:
  %c.number = add i64 %inputs, %c
  %c.object = getelementptr %Leaf, ptr %leaves, i64 %c.number, i32 3
  store ptr null, ptr %c.object
  %c.next = add i64 %c, 1
  br label %clear
cleared:
  ret i1 false
}

define internal void @drop_results(ptr %leaves, i64 %inputs, i64 %count) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %dropped ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %test, label %done
test:
  %number = add i64 %inputs, %k
  %object.at = getelementptr %Leaf, ptr %leaves, i64 %number, i32 3
  %object = load ptr, ptr %object.at
  %empty = icmp eq ptr %object, null
  br i1 %empty, label %dropped, label %drop
drop:
  call void @Py_DecRef(ptr %object)
  br label %dropped
dropped:
  %k.next = add i64 %k, 1
  br label %next
done:
  ret void
}

; Fill the tables of places and take the steps. False with an exception where a check fails.
define internal i1 @run_steps(ptr %e) {
entry:
  %fills.at = getelementptr %Entry, ptr %e, i32 0, i32 12
  %fills = load i64, ptr %fills.at
  %fill.list.at = getelementptr %Entry, ptr %e, i32 0, i32 13
  %fill.list = load ptr, ptr %fill.list.at
  %steps.at = getelementptr %Entry, ptr %e, i32 0, i32 14
  %steps = load i64, ptr %steps.at
  %step.list.at = getelementptr %Entry, ptr %e, i32 0, i32 15
  %step.list = load ptr, ptr %step.list.at
  br label %fill
fill:
  %f = phi i64 [ 0, %entry ], [ %f.next, %fill.one ]
  %fills.left = icmp slt i64 %f, %fills
  br i1 %fills.left, label %fill.one, label %begin
fill.one:
  %slot.at = getelementptr { ptr, ptr }, ptr %fill.list, i64 %f
  %leaf.at = getelementptr { ptr, ptr }, ptr %fill.list, i64 %f, i32 1
  %slot = load ptr, ptr %slot.at
  %leaf = load ptr, ptr %leaf.at
  %data = load ptr, ptr %leaf
  store ptr %data, ptr %slot
  %f.next = add i64 %f, 1
  br label %fill
begin:
  %shared.at = getelementptr %Entry, ptr %e, i32 0, i32 19
  %shared = load i64, ptr %shared.at
  %alone = icmp eq i64 %shared, 0
  br i1 %alone, label %step, label %leave
leave:
  %saved = call ptr @PyEval_SaveThread()
  br label %step
step:
  %s = phi i64 [ 0, %begin ], [ 0, %leave ], [ %s.next, %step.taken ]
  %state = phi ptr [ null, %begin ], [ %saved, %leave ], [ %state, %step.taken ]
  %steps.left = icmp slt i64 %s, %steps
  br i1 %steps.left, label %step.one, label %yes
step.one:
  %kind.at = getelementptr %Step, ptr %step.list, i64 %s
  %a.at = getelementptr %Step, ptr %step.list, i64 %s, i32 1
  %b.at = getelementptr %Step, ptr %step.list, i64 %s, i32 2
  %c.at = getelementptr %Step, ptr %step.list, i64 %s, i32 3
  %kind = load i64, ptr %kind.at
  %a = load ptr, ptr %a.at
  %b = load ptr, ptr %b.at
  %c = load ptr, ptr %c.at
  %is.run = icmp eq i64 %kind, 0
  br i1 %is.run, label %run, label %check
run:
  call void %a(ptr %b, ptr %c)
  br label %step.taken
check:
  %flag = load i8, ptr %a
  %good = icmp eq i8 %flag, 0
  br i1 %good, label %step.taken, label %bad
step.taken:
  %s.next = add i64 %s, 1
  br label %step
bad:
  call void @return_to(ptr %state)
  call void @PyErr_SetObject(ptr %b, ptr %c)
  ret i1 false
yes:
  call void @return_to(ptr %state)
  ret i1 true
}

define internal void @return_to(ptr %state) alwaysinline {
entry:
  %stayed = icmp eq ptr %state, null
  br i1 %stayed, label %done, label %return
return:
  call void @PyEval_RestoreThread(ptr %state)
  br label %done
done:
  ret void
}

; Results that a failed check must not show go to memory of the entry's own first; a leaf keeps where they belong.
define internal void @use_shadows(ptr %shadows, ptr %leaves, i64 %inputs, i64 %count) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %one ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %one, label %done
one:
  %number = add i64 %inputs, %k
  %leaf = getelementptr %Leaf, ptr %leaves, i64 %number
  %shadow.at = getelementptr { ptr, i64 }, ptr %shadows, i64 %k
  %shadow = load ptr, ptr %shadow.at
  store ptr %shadow, ptr %leaf
  %k.next = add i64 %k, 1
  br label %next
done:
  ret void
}

define internal void @copy_shadows(ptr %shadows, ptr %leaves, i64 %inputs, i64 %count) {
entry:
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %one ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %one, label %done
one:
  %number = add i64 %inputs, %k
  %target.at = getelementptr %Leaf, ptr %leaves, i64 %number, i32 1
  %target = load ptr, ptr %target.at
  %shadow.at = getelementptr { ptr, i64 }, ptr %shadows, i64 %k
  %shadow = load ptr, ptr %shadow.at
  %bytes.at = getelementptr { ptr, i64 }, ptr %shadows, i64 %k, i32 1
  %bytes = load i64, ptr %bytes.at
  call void @llvm.memcpy.p0.p0.i64(ptr %target, ptr %shadow, i64 %bytes, i1 false)
  %k.next = add i64 %k, 1
  br label %next
done:
  ret void
}

; The call's result: the one array or number, a tuple of them, or what a function makes of the tuple.
define internal ptr @pack_results(ptr %e, ptr %leaves, i64 %inputs, i64 %count) {
entry:
  %results.at = getelementptr %Entry, ptr %e, i32 0, i32 9
  %results = load ptr, ptr %results.at
  br label %next
next:
  %k = phi i64 [ 0, %entry ], [ %k.next, %kept ]
  %left = icmp slt i64 %k, %count
  br i1 %left, label %result, label %whole
result:
  %number = add i64 %inputs, %k
  %leaf = getelementptr %Leaf, ptr %leaves, i64 %number
  %kind.at = getelementptr %Result, ptr %results, i64 %k
  %kind = load i64, ptr %kind.at
  %is.cell = icmp eq i64 %kind, 1
  br i1 %is.cell, label %cell, label %kept
cell:
  %descr.at = getelementptr %Result, ptr %results, i64 %k, i32 1
  %descr = load ptr, ptr %descr.at
  %cell.data = load ptr, ptr %leaf
  %scalar = call ptr @PyArray_Scalar(ptr %cell.data, ptr %descr, ptr null)
  %scalar.at = getelementptr %Leaf, ptr %leaf, i32 0, i32 3
  store ptr %scalar, ptr %scalar.at
  %no.scalar = icmp eq ptr %scalar, null
  br i1 %no.scalar, label %failed, label %kept
kept:
  %k.next = add i64 %k, 1
  br label %next
whole:
  %form.at = getelementptr %Entry, ptr %e, i32 0, i32 16
  %form = load ptr, ptr %form.at
  %is.single = icmp eq ptr %form, null
  br i1 %is.single, label %single, label %several
single:
  %only.at = getelementptr %Leaf, ptr %leaves, i64 %inputs, i32 3
  %only = load ptr, ptr %only.at
  ret ptr %only
several:
  %own = alloca ptr, i64 %count
  br label %copy
copy:
  %c = phi i64 [ 0, %several ], [ %c.next, %copy.one ]
  %copies.left = icmp slt i64 %c, %count
  br i1 %copies.left, label %copy.one, label %copied
copy.one:
  %c.number = add i64 %inputs, %c
  %c.object.at = getelementptr %Leaf, ptr %leaves, i64 %c.number, i32 3
  %c.object = load ptr, ptr %c.object.at
  %own.at = getelementptr ptr, ptr %own, i64 %c
  store ptr %c.object, ptr %own.at
  %c.next = add i64 %c, 1
  br label %copy
copied:
  %tuple = call ptr @PyTuple_New(i64 %count)
  %no.tuple = icmp eq ptr %tuple, null
  br i1 %no.tuple, label %failed, label %fill
fill:
  %items = getelementptr i8, ptr %tuple, i64 TUPLE_ITEMS
  %bytes = shl i64 %count, 3
  call void @llvm.memcpy.p0.p0.i64(ptr %items, ptr %own, i64 %bytes, i1 false)
  %is.tuple = icmp eq ptr %form, inttoptr (i64 1 to ptr)
  br i1 %is.tuple, label %plain, label %built
plain:
  ret ptr %tuple
built:
  %made = call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr %form, ptr %tuple, ptr null)
  call void @Py_DecRef(ptr %tuple)
  ret ptr %made
failed:
  ret ptr null
}
"""
